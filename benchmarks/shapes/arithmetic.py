"""Pipes that several shapes have in common: each reads one number from `self`."""

from __future__ import annotations

from rivusio import SyncBasePipe


class Scale(SyncBasePipe[int, int]):
    """A stage that reads `self`: times a factor."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def process(self, data: int) -> int:
        """Multiply."""
        return data * self.factor


class Shift(SyncBasePipe[int, int]):
    """A stage that reads `self`: plus a number."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    def process(self, data: int) -> int:
        """Add."""
        return data + self.by


class Wrap(SyncBasePipe[int, int]):
    """A stage that reads `self`: the rest of a division."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def process(self, data: int) -> int:
        """Give the rest."""
        return data % self.size


class Back(SyncBasePipe[int, int]):
    """A stage that reads `self`: minus a number."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    def process(self, data: int) -> int:
        """Subtract."""
        return data - self.by


class Share(SyncBasePipe[int, int]):
    """A stage that reads `self`: divided by a number."""

    def __init__(self, among: int) -> None:
        super().__init__()
        self.among = among

    def process(self, data: int) -> int:
        """Divide."""
        return data // self.among
