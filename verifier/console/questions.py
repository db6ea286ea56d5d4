"""What each check asks, in one sentence, and which thresholds its answer depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One check for people; thresholds by name, as in a profile."""

    title: str
    meaning: str
    thresholds: tuple[str, ...] = ()


QUESTIONS = {
    "streams": Question("Streams", "The recording has a picture and a sound."),
    "elapsed": Question(
        "Time since the challenge", "There was time to record it after the challenge was issued.", ("elapsed_spare_min",)
    ),
    "damage": Question("Whole", "The recording arrived as it was encoded.", ("damaged_max", "lost_max", "broken_blocks_max")),
    "length": Question("Length", "The recording is no longer and no shorter than the site allows."),
    "frame_rate": Question("Frame rate", "There are enough pictures a second to follow lips and head."),
    "picture_size": Question("Picture size", "The picture is large enough to see a face in."),
    "turned": Question("Same way up", "The camera was held the same way up from start to end.", ("reshaped_max",)),
    "coverage": Question(
        "Picture and sound",
        "Picture and sound cover the same time, and all that was said.",
        ("late_or_early_max", "said_unseen_max"),
    ),
    "light": Question("Light", "The face is neither too dark nor too bright to be judged.", ("light_min", "face_luma_max")),
    "sharpness": Question("Sharpness", "The face is in focus and not smeared.", ("sharpness_min",)),
    "face_size": Question("Size of the face", "The face is near enough to the camera.", ("face_share_min", "face_width_min")),
    "eyes": Question(
        "Eyes in view",
        "Nothing covers the eyes.",
        ("covered_frames_min", "light_min", "eye_contrast_min", "eye_light_min", "eye_tint_max"),
    ),
    "mouth": Question(
        "Mouth in view",
        "Nothing covers the mouth.",
        ("covered_frames_min", "light_min", "mouth_contrast_min", "mouth_tint_max"),
    ),
    "presence": Question("Presence", "A face is in the picture from start to end.", ("face_gap_max",)),
    "alone": Question("Alone", "Nobody else is in the picture.", ("extra_faces_max",)),
    "age": Question(
        "Apparent age",
        "The person clearly looks adult; if not, the stricter profile judges.",
        ("adult_age_min", "age_frames_min", "age_spread_max"),
    ),
    "same_person": Question(
        "One face",
        "It is the same face throughout, by how alike its pictures are.",
        ("identity_frames_min", "same_person_min", "other_face_max"),
    ),
    "presentation_attack": Question(
        "Live face",
        "The face looks live and not like a screen or a print.",
        ("live_frames_min", "live_p20_min", "live_close_sure_min"),
    ),
    "close_up": Question(
        "Live face, close",
        "The same question put to a closer crop of the head.",
        ("live_close_frames_min", "live_close_p20_min", "live_close_veiled_p20_min", "live_close_screen_max", "clear_light_min"),
    ),
    "bezel": Question("Border", "No border of a display or print stands around the face.", ("bezel_frames_min", "bezel_max")),
    "moire": Question("Display's grid", "No regular grid of a display lies over the picture.", ("grid_frames_min", "grid_max")),
    "flicker": Question("Rolling bands", "No bands of a lamp or display roll through the picture.", ("flicker_max",)),
    "frozen": Question(
        "Living picture",
        "The picture never stands still, never comes again, and never runs backwards.",
        ("still_change_max", "still_time_max", "repeat_min", "reversal_min", "reversal_turn_max"),
    ),
    "splice": Question(
        "One take",
        "The pictures are one take, without a cut.",
        ("picture_gap_max", "cut_max", "jump_max", "cut_step_max"),
    ),
    "picture_times": Question(
        "Times of pictures", "The pictures come at times at which a camera makes them.", ("hurried_pictures_max",)
    ),
    "enlarged": Question(
        "Size of the original", "The picture was recorded at the size it has, not enlarged.", ("fair_light_min", "bend_max")
    ),
    "sound_cuts": Question(
        "Cuts in the sound",
        "The sound dies away as in a room, and does not stop as where pieces were pasted.",
        ("sound_stops_max",),
    ),
    "blink": Question("Blinks", "The person blinks.", ("blink_closed_min", "blinks_min")),
    "movement": Question(
        "Head turns",
        "The head turned the ways that were asked, in their order.",
        ("turn_deg_min", "turn_centre_deg_max", "extra_turn_share_min", "extra_turns_max"),
    ),
    "depth": Question(
        "Depth",
        "The face has depth: it moves as a head does when it turns.",
        (
            "relief_min",
            "relief_flat_max",
            "relief_clarity_min",
            "fair_light_min",
            "relief_pairs_min",
            "turn_deg_min",
            "turn_centre_deg_max",
        ),
    ),
    "gaze": Question("Gaze", "The eyes hold the camera while the head turns.", ("gaze_slope_max", "gaze_span_min")),
    "loudness": Question("Loudness", "The voice is loud enough to be judged.", ("speech_level_min",)),
    "noise": Question("Noise", "The voice stands out of the noise around it.", ("speech_to_noise_min",)),
    "phrase": Question(
        "Phrase",
        "The words that were asked were said, in their order.",
        (
            "phrase_said_min",
            "phrase_gain_min",
            "phrase_read_word_gain_min",
            "phrase_unread_word_gain_min",
            "phrase_unsaid_margin_min",
            "words_noise_min",
            "others_max",
        ),
    ),
    "sound_repeat": Question("Repeated sound", "No piece of the sound comes twice.", ("sound_repeat_max",)),
    "speaker": Question(
        "One voice",
        "It is the same voice throughout.",
        (
            *("same_speaker_p20_min", "another_voice_max", "voice_both_min"),
            *("voice_groups_min", "voice_groups_noise_min", "others_max"),
        ),
    ),
    "second_voice": Question(
        "Second voice",
        "No group of words was said by another voice.",
        ("voice_group_min", "another_voice_max", "voice_groups_min", "voice_groups_noise_min", "others_max"),
    ),
    "lips": Question(
        "Lips and sound",
        "The lips do what the sound says they do.",
        (
            "lips_distinct_min",
            "lips_short_min",
            "lips_part_min",
            "lips_both_min",
            "lips_offset_max",
            "lips_offset_both_min",
            "lips_seconds_min",
            "lips_fps_min",
            "words_noise_min",
            "lips_words_min",
            "lips_peak_min",
            "others_max",
            "phrase_read_word_gain_min",
            "phrase_unread_word_gain_min",
        ),
    ),
    "sequence": Question(
        "Order of steps",
        "Each word was said before or after the turn it belongs to.",
        ("overrun_max", "turn_deg_min", "turn_centre_deg_max", "words_noise_min", "others_max"),
    ),
    "audio_mark": Question("Audio mark", "The voice carries no mark that a generator put into it.", ("audio_mark_max",)),
    "synthetic_voice": Question(
        "Synthetic voice", "The site's own detector takes the voice for a person's.", ("synthetic_voice_max",)
    ),
    "seen_before": Question(
        "Seen before",
        "The recording was never sent before.",
        ("seen_motion_max", "seen_motion_rise_max", "seen_sound_max", "seen_sound_rise_max", "seen_words_min"),
    ),
    "protected_person": Question("Protected person", "The face is no protected person's.", ("protected_cosine_max",)),
    "already_enrolled": Question("Enrolled already", "The face is enrolled by nobody else.", ("enrolled_cosine_max",)),
}


def question(check: str) -> Question:
    """Return what a check asks; one that this version does not know is called by its name."""
    return QUESTIONS.get(check) or Question(check.replace("_", " ").capitalize(), "A check of another version of this service.")
