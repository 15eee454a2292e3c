"""MIME types of outputs, as far as their storage depends on them."""


def is_binary(mime_type: str) -> bool:
    """Whether inline `data` of this type is base64: images but SVG, audio, video, fonts, PDF and octets."""
    family = mime_type.partition("/")[0]
    if mime_type.startswith("image/svg"):
        return False
    return family in {"image", "audio", "video", "font"} or mime_type in {"application/pdf", "application/octet-stream"}
