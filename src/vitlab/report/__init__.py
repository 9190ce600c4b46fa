"""From records to pages and pictures. Imports no torch."""

from vitlab.base.callable import make_callable

make_callable(__name__)
