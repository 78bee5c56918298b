"""What the benches have in common."""

import argparse
import statistics
import sys
from pathlib import Path

from rich.console import Console

LOCK = Path("/run/lock/commento-bench")  # held by who measures: two at once would measure each other


def figure(name, value, unit):
    """Prints a figure; of a list its median. Returns what it printed."""
    value = statistics.median(value) if isinstance(value, list) else value
    print(f"FIGURE {name} {value:.4g} {unit}", flush=True)
    return value


def choice_of(known):
    """For argparse: some of these words, separated by commas."""
    def choose(text):
        words = text.split(",")
        unknown = [word for word in words if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
        return words

    return choose


def console():
    return Console(width=None if sys.stdout.isatty() else 120)
