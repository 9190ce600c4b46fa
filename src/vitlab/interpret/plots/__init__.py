"""Figures of what the other functions find: each returns a matplotlib figure, to be shown or saved.

    plot_maps(grid.fold(maps), pictures).savefig("maps.png")

No global state of matplotlib's is touched: a figure belongs to whoever asked for it.
"""

from vitlab.interpret.plots.layers import plot_by_layer as plot_by_layer
from vitlab.interpret.plots.layers import plot_cka as plot_cka
from vitlab.interpret.plots.layers import plot_head_curve as plot_head_curve
from vitlab.interpret.plots.layers import plot_knockouts as plot_knockouts
from vitlab.interpret.plots.layers import plot_logit_attribution as plot_logit_attribution
from vitlab.interpret.plots.layers import plot_logit_lens as plot_logit_lens
from vitlab.interpret.plots.layers import plot_token_norms as plot_token_norms
from vitlab.interpret.plots.pictures import plot_areas as plot_areas
from vitlab.interpret.plots.pictures import plot_colours as plot_colours
from vitlab.interpret.plots.pictures import plot_filters as plot_filters
from vitlab.interpret.plots.pictures import plot_maps as plot_maps
from vitlab.interpret.plots.pictures import plot_patching as plot_patching
from vitlab.interpret.plots.pictures import plot_position_similarity as plot_position_similarity
from vitlab.interpret.plots.pictures import plot_similarity_by_distance as plot_similarity_by_distance
