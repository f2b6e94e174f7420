"""How people ask: the wordings of each kind of question; words in braces are filled in."""

from __future__ import annotations

from itertools import product

from vqa2cli.asking import DEPICT

SUBJECTS = ("this video", "the video", "this clip", "the clip", "the picture", "it", "this")

DESCRIBE = (
    DEPICT,
    *(
        f"{verb} {thing}"
        for verb, thing in product(
            ("Describe", "Please describe", "Tell me about", "Explain", "Assess", "Comment on"),
            (
                "the quality of this video.",
                "the video quality.",
                "the picture quality in detail.",
                "how this video looks.",
                "the visual quality of the clip.",
            ),
        )
    ),
    "What degrades this video?",
    "What limits the quality of this video?",
    "How does it look?",
    "How does this video look, and why?",
    "What is the reason for the quality of this video?",
    "Why does the video look like this?",
    "Why is the quality {level}?",
    "What do you see?",
    "Give a detailed account of what degrades the picture.",
)
RATE = (
    "How would you rate the quality of this video?",
    "Rate the quality of this video.",
    "How good is {it}?",
    "How good does {it} look?",
    "What is the quality of {it}?",
    "What quality does {it} have?",
    "Which quality level fits {it}?",
    "How good is the picture quality?",
    "Is the quality high, good, fair, poor or low?",
)
NUMBER = (
    "What score from 0 to 100 would you give?",
    "Score {it} from 0 to 100.",
    "How many points of 100 does {it} deserve?",
    "Give {it} a score.",
    "What is the score of {it}?",
    "Predict the MOS on a scale from 0 to 100.",
)
MAIN = (
    "What is the main distortion?",
    "What is the main distortion in {it}?",
    "Which distortion is seen?",
    "Which distortion does {it} show?",
    "What is the most visible artifact?",
    "What kind of artifact is there?",
    "What is wrong with {it}?",
    "What is wrong here?",
    "Name the main problem of {it}.",
    "What type of distortion affects {it}?",
)
ANY = (
    "Is anything wrong with {it}?",
    "Is there any distortion in {it}?",
    "Is {it} distorted?",
    "Does {it} show any artifacts?",
    "Are there visible artifacts?",
    "Is {it} degraded?",
    "Do you see a problem?",
    "Is the quality of {it} impaired?",
)
GOOD = (
    "Is the quality of {it} good?",
    "Is {it} of good quality?",
    "Does {it} look good?",
    "Can I publish {it}?",
    "Is {it} good enough to watch?",
    "Would viewers be happy with {it}?",
)
BAD = (
    "Is the quality of {it} bad?",
    "Is {it} of bad quality?",
    "Does {it} look bad?",
    "Is {it} unwatchable?",
    "Does the quality of {it} need work?",
)
WORST = (
    "When does the quality fall?",
    "When is {it} at its worst?",
    "When is {it} degraded?",
    "In which part of {it} is the distortion seen?",
    "Where in time is the problem?",
    "When does the distortion occur?",
)
IS_THERE = (
    "Is there {any}{noun} in {it}?",
    "Is there {any}{noun}?",
    "Are there {any}{noun} in {it}?",
    "Does {it} show {any}{noun}?",
    "Does {it} have {any}{noun}?",
    "Do you see {any}{noun} in {it}?",
    "Can you see {any}{noun}?",
    "Is {noun} visible in {it}?",
    "Does {it} suffer from {noun}?",
    "{Noun}?",
)
IS_IT = (
    "Is {it} {adjective}?",
    "Is {it} {adjective}?",
    "Does {it} look {adjective}?",
    "Would you call {it} {adjective}?",
    "{Adjective}?",
)
HOW_STRONG = (
    "How strong is the {noun}?",
    "How severe is the {noun} in {it}?",
    "How bad is the {noun}?",
    "How visible is the {noun} in {it}?",
    "To what degree does {it} show {noun}?",
    "How much {noun} is there in {it}?",
)
WHEN = (
    "When is the {noun} seen?",
    "When does the {noun} occur?",
    "When do you see {noun} in {it}?",
    "In which part of {it} is {noun} seen?",
    "Is the {noun} seen throughout?",
)
STALL_QUESTIONS = (
    "Does {it} stall?",
    "Does {it} freeze?",
    "How often does {it} stall?",
    "Is there rebuffering in {it}?",
    "Are there any stalls?",
    "How long does {it} stall?",
    "Does the playback stop?",
)
OFF_QUESTIONS = tuple(
    f"{ask} {about}?"
    for ask, about in product(
        (
            "What is",
            "Who is",
            "Where is",
            "Tell me",
            "How many are",
            "What happens to",
            "Do you like",
        ),
        (
            "the person doing",
            "the man in it",
            "the woman's name",
            "the dog",
            "the car",
            "the weather",
            "the city",
            "the music",
            "the story",
            "a joke",
            "the people",
            "the capital of France",
            "the time",
            "shown in this video",
            "your name",
        ),
    )
)  # fmt: skip
BETTER = (
    "Which video has the better quality?",
    "Which video is better?",
    "Which one looks better?",
    "Which of the two is the better one?",
    "Which clip has higher quality?",
    "Compare the quality of the two videos.",
    "Which should I choose?",
)
WORSE = (
    "Which video has the worse quality?",
    "Which video is worse?",
    "Which one looks worse?",
    "Which of the two is more degraded?",
    "Which clip has lower quality?",
)
WHICH_SHOWS = (
    "In which of the two videos is {noun} seen?",
    "Which video shows {noun}?",
    "Which video has {noun}?",
    "Which one is {adjective}?",
    "Which of the two is {adjective}?",
)
WHICH_DOES_NOT = ("Which video is {opposite}?", "Which one is {opposite}?")
