"""Headers of coded pictures, read only as far as the quantizer; standard library only."""
