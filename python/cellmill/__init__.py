"""What a pipeline's author imports. Decorated functions stay plain functions and parameters plain values.

Importing this package imports nothing outside the standard library, starts nothing and opens nothing.
"""

from ._authoring.declare import Declaration, asset, check, effect, report, setup
from ._authoring.load import LoadError, load
from ._authoring.param import param

__all__ = ["Declaration", "LoadError", "asset", "check", "effect", "load", "param", "report", "setup"]
__version__ = "0.1.0"
