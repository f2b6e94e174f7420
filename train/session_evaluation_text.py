"""What an evaluation of sessions found, for people."""

from __future__ import annotations

from train.evaluation_text import group_table, reasons
from train.session_evaluation import SessionEvaluation


def evaluation_text(result: SessionEvaluation) -> str:
    """Return tables: the whole and other predictors on it, then each of several datasets."""
    parts = []
    if result.overall is not None:
        rows = {"session model": result.overall, **result.peers}
        parts.append(
            f"n = {result.overall.n} sessions of {result.overall.contents} contents\n\n"
            + group_table("predictor", rows)
        )
        parts.append(reasons(result.overall))
    else:
        parts.append(f"n = {len(result.points)} sessions; no figure over all: {result.reason}")
    if len(result.datasets) > 1:
        parts.append(group_table("dataset", result.datasets))
    sources = {point.quality_from for point in result.points} - {"vmaf"}
    if sources:
        parts.append(f"quality of some sessions is not VMAF: {', '.join(sorted(sources))}")
    return "\n\n".join(part for part in parts if part)
