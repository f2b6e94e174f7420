"""HLS and DASH playlists: their rungs as clips, from local files alone."""
