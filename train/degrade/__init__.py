"""Making degraded clips whose labels are known because the degradation was made."""
