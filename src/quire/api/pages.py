"""The page and its files, and the frame in which untrusted HTML is shown."""

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from quire.api.problems import Problem
from quire.auth.local import LocalAuth
from quire.config import ConfigError

WEB_FOLDER = Path(__file__).parent.parent / "web_dist"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:; font-src data:; frame-ancestors 'self'"
)

DOCS_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Quire API</title>
<link rel="stylesheet" href="/vendor/swagger/swagger-ui.css"></head><body><div id="swagger"></div>
<script src="/vendor/swagger/swagger-ui-bundle.js"></script><script src="/vendor/swagger/start.js"></script>
</body></html>"""

router = APIRouter(include_in_schema=False)


def install_files(app: FastAPI, folder: Path = WEB_FOLDER) -> None:
    """Serve the built page's files. Raises ConfigError if the page was not built."""
    if not (folder / "index.html").is_file():
        raise ConfigError("the page is missing from this installation: run `make setup`, or install a released wheel")
    app.mount("/assets", _Immutable(folder / "assets"), name="assets")
    if (folder / "vendor").is_dir():
        app.mount("/vendor", StaticFiles(directory=folder / "vendor"), name="vendor")


class _Immutable(StaticFiles):
    """Files whose names change with their content."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # as given
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@router.get("/")
@router.get("/n/{notebook_id:path}")
async def page(request: Request) -> Response:
    """The page. An address with `?token=` sets the cookie and leaves the token out of sight."""
    auth = request.app.state.auth
    token = request.query_params.get("token")
    if isinstance(auth, LocalAuth) and token is not None:
        answer: Response = RedirectResponse(request.url.path, 303)
        if auth.is_token(token):
            answer.set_cookie(auth.cookie, token, max_age=30 * 86400, httponly=True, samesite="strict", path="/")
        return answer
    return FileResponse(
        WEB_FOLDER / "index.html",
        headers={
            "Content-Security-Policy": PAGE_POLICY,
            "Cache-Control": "no-cache",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
        },
    )


@router.get("/output-frame")
async def output_frame() -> Response:
    """An empty document of an opaque origin, that shows the HTML it is sent."""
    return FileResponse(
        WEB_FOLDER / "output-frame.html", headers={"Content-Security-Policy": FRAME_POLICY, "Cache-Control": "no-cache"}
    )


@router.get("/favicon.svg")
@router.get("/favicon.ico")
async def favicon() -> Response:
    return FileResponse(WEB_FOLDER / "favicon.svg", media_type="image/svg+xml")


@router.get("/api/docs")
async def docs() -> Response:
    """The OpenAPI description, to read and to try."""
    if not (WEB_FOLDER / "vendor" / "swagger").is_dir():
        raise Problem(404, "The API documentation is missing from this installation.")
    return HTMLResponse(DOCS_PAGE, headers={"Content-Security-Policy": PAGE_POLICY})
