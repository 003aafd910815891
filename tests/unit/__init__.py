"""The rooms of rivusio, folder by folder, through their public behaviour."""
