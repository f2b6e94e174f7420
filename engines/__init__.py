"""Engines that run one graph: named numpy arrays in, named numpy arrays out."""

import sys

# Missing, it counts nobody's use over the network; OpenVINO then does without it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
