"""The inside of a model, looked at without a hook or branch in the model itself.

    model = vitlab.load("runs/digits")
    images = model.prepare(["seven.png"])
    maps = vitlab.interpret.attention_maps(model, images)
    vitlab.interpret.plot_maps(vitlab.interpret.grid_of(model).fold(maps[-1, 0, :, 0]))

All that people look with stands here; `docs/inside.md` says what each is for.
"""

from vitlab.interpret.activations import capture as capture
from vitlab.interpret.activations import capturing as capturing
from vitlab.interpret.activations import edit as edit
from vitlab.interpret.attention import attention_distance as attention_distance
from vitlab.interpret.attention import attention_entropy as attention_entropy
from vitlab.interpret.attention import attention_maps as attention_maps
from vitlab.interpret.attention import gradient_attention as gradient_attention
from vitlab.interpret.attribution import deletion_insertion as deletion_insertion
from vitlab.interpret.attribution import integrated_gradients as integrated_gradients
from vitlab.interpret.attribution import integration_gap as integration_gap
from vitlab.interpret.attribution import occlusion as occlusion
from vitlab.interpret.attribution import relevance as relevance
from vitlab.interpret.cka import cka as cka
from vitlab.interpret.grid import grid_of as grid_of
from vitlab.interpret.grid import over_picture as over_picture
from vitlab.interpret.logits import logit_attribution as logit_attribution
from vitlab.interpret.logits import logit_lens as logit_lens
from vitlab.interpret.patches import filter_components as filter_components
from vitlab.interpret.patches import patch_filters as patch_filters
from vitlab.interpret.patching import activation_patching as activation_patching
from vitlab.interpret.plots import plot_areas as plot_areas
from vitlab.interpret.plots import plot_by_layer as plot_by_layer
from vitlab.interpret.plots import plot_cka as plot_cka
from vitlab.interpret.plots import plot_colours as plot_colours
from vitlab.interpret.plots import plot_filters as plot_filters
from vitlab.interpret.plots import plot_head_curve as plot_head_curve
from vitlab.interpret.plots import plot_knockouts as plot_knockouts
from vitlab.interpret.plots import plot_logit_attribution as plot_logit_attribution
from vitlab.interpret.plots import plot_logit_lens as plot_logit_lens
from vitlab.interpret.plots import plot_maps as plot_maps
from vitlab.interpret.plots import plot_patching as plot_patching
from vitlab.interpret.plots import plot_position_similarity as plot_position_similarity
from vitlab.interpret.plots import plot_similarity_by_distance as plot_similarity_by_distance
from vitlab.interpret.plots import plot_token_norms as plot_token_norms
from vitlab.interpret.positions import position_similarity as position_similarity
from vitlab.interpret.positions import shuffle_positions as shuffle_positions
from vitlab.interpret.positions import similarity_by_distance as similarity_by_distance
from vitlab.interpret.rollout import rollout as rollout
from vitlab.interpret.sites import sites as sites
from vitlab.interpret.tokens import patch_colours as patch_colours
from vitlab.interpret.tokens import token_norms as token_norms
