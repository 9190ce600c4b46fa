"""`PackedLinear`: several projections of the same tokens as one matrix, as timm keeps q, k and v."""

from torch import nn


class PackedLinear(nn.Linear):
    """`parts` linear layers width -> out, one below the other: weight [parts·out, width].

    It computes as any linear layer. An initialisation that looks at the number of outputs (Xavier's) must know that
    they belong to matrices of their own, and asks for `parts`.
    """

    def __init__(self, width: int, out: int, parts: int, bias: bool):
        super().__init__(width, parts * out, bias=bias)
        self.parts = parts
