"""The charts of pages and papers: one Vega-Lite specification each, drawn as SVG and PNG. No torch."""
