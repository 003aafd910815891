"""What people write and join: pipes, operators, pipelines and streams.

    base, joins             what `>>` joins, and the chain that joining gives
    elementwise, windowed   the classes to inherit from
    operators, polymorphic  `map`, `filter`, `batch` and their kin
    streams, stream_base    a source with settings; its public path is `rivusio.streams`
    parallel, outputs       a pipeline over many inputs at once; what `process` has counted
    type_vars, legacy_type_vars

The public path of everything here is `rivusio` itself.
"""
