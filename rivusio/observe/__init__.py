"""What runs tell of themselves: counts, times and rates.

counters      what one run counts
metrics       measured values over a bounded window of time
monitoring    what a user looks at; its public path is `rivusio.monitoring`
"""
