"""The run, the loop and the state."""

from vitlab.base.callable import make_callable

make_callable(__name__)
