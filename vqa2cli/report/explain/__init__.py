"""What `vqa2 explain` tells: an explanation as a record, and its forms for people."""
