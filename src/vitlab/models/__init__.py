"""The one ViT, its presets and its cost."""
