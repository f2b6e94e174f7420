"""The page itself, of Gradio's parts: a clip is dropped, what is told of it stands beneath."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import gradio as gr

from vqa2cli.demo.desk import Desk

#: What Gradio calls itself in its footer, its own pages and its log of runs is left out.
_MOUNTED: Final[dict[str, Any]] = {
    "path": "", "footer_links": [], "run_history": False, "show_error": False, "ssr_mode": False,
    "enable_monitoring": False, "mcp_server": False,
}  # fmt: skip


def mounted(desk: Desk, app: Any) -> Any:
    """Return `app` with the page of a desk at its root."""
    theme = gr.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    return gr.mount_gradio_app(app, _blocks(desk), theme=theme, head=_head(), **_MOUNTED)


def _head() -> str:
    """Return the style sheet of the HTML report, and what the page adds to it.

    In the head, since Gradio rewrites the rules of its own `css`.
    """
    report = files("vqa2cli.report.page") / "templates" / "report.css"
    own = files("vqa2cli.demo") / "templates" / "demo.css"
    rules = "\n".join(each.read_text(encoding="utf-8") for each in (report, own))
    return f"<style>\n{rules}</style>"


def _blocks(desk: Desk) -> Any:
    def show(clip: str, before: str | None) -> tuple[str, str, str]:
        _forget(before, clip)
        return desk.told(Path(clip)), clip, ""

    def clear(before: str | None) -> tuple[str, None, str]:
        _forget(before, None)
        return "", None, ""

    def answer(clip: str | None, question: str) -> Iterator[str]:
        if clip is None:
            yield "Drop a clip first."
            return
        yield from desk.answer(Path(clip), question)

    with gr.Blocks(title="vqa2", analytics_enabled=False) as blocks:
        gr.HTML("<h1>Video quality</h1><p class='quiet'>Drop a clip. It stays on this machine.</p>")
        kept = gr.State(None)
        clip = gr.File(label="Clip", file_count="single", type="filepath", elem_id="clip")
        told = gr.HTML(elem_id="told", apply_default_css=False)
        with gr.Column(elem_id="asking"):
            question = gr.Textbox(
                label="Question", placeholder="What degrades this clip most?", max_lines=4,
                elem_id="question",
            )  # fmt: skip
            reply = gr.Textbox(label="Answer", lines=2, interactive=False, elem_id="answer")
        # One id and a limit of one: a clip and a question never run at the same time.
        alone: dict[str, Any] = {
            "concurrency_limit": 1, "concurrency_id": "desk", "api_visibility": "private"
        }  # fmt: skip
        clip.upload(show, [clip, kept], [told, kept, reply], **alone)
        clip.clear(clear, kept, [told, kept, reply], **alone)
        question.submit(answer, [kept, question], reply, **alone)
    return blocks


def _forget(before: str | None, clip: str | None) -> None:
    """Remove a clip that another took the place of; Gradio keeps each in a folder of its own."""
    if before is not None and before != clip:
        shutil.rmtree(Path(before).parent, ignore_errors=True)
