"""What `vqa2 demo` serves: a page on this machine that scores and explains one clip at a time."""
