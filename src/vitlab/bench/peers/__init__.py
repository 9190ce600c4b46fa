"""Other libraries' vision transformers, one file each, in the settings that their users would try."""
