"""The contract of a peer: contestants that do the job, the first of them as the library comes."""

from collections.abc import Callable, Iterator

from vitlab.bench.contest import Contestant
from vitlab.bench.work import Job

Peer = Callable[[Job], Iterator[Contestant]]  # each file's function `contestants`
