"""Files over HTTP, kept in a store: uploads and downloads of any size in bounded memory, parts of files, what is known is not sent again.

    pip install build/wheel/3.11/dist/*.whl fastapi uvicorn      # make wheel builds the first
    STORE=files uvicorn app:app                                  # in this folder

    curl -T report.pdf http://127.0.0.1:8000/files/reports/may.pdf
    curl -H 'Range: bytes=0-99' http://127.0.0.1:8000/files/reports/may.pdf
    curl -X DELETE http://127.0.0.1:8000/files/reports/may.pdf
    curl http://127.0.0.1:8000/stats

It asks nobody who they are: put it behind something that does.
"""

import asyncio
import os
import re

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from fusedb_swift.store import AsyncStore, FuseValueError, Store


class Body:
    """What a request brings, as a file that the store reads on its thread, while the event loop takes it from the network."""

    def __init__(self, request: Request) -> None:
        self._pieces, self._loop, self._rest = request.stream(), asyncio.get_running_loop(), b""

    async def _next(self) -> bytes | None:
        return await anext(self._pieces, None)

    def read(self, size: int) -> bytes:
        while not self._rest:
            piece = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if piece is None:
                return b""
            self._rest = piece
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def asked_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The one range that is asked for, as its start and its end; None for the whole. A ValueError where it is not in the file."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not found or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    start, end = (max(0, size - int(last)), size) if first == "" else (int(first), min(size, int(last) + 1) if last else size)
    if start >= size or start >= end:
        raise ValueError(header)
    return start, end


def make_app(path: str) -> FastAPI:
    """The application over the store in a folder, which is made where there is none."""
    store = Store(path) if os.path.exists(os.path.join(path, "config")) else Store.create(path)
    twin = AsyncStore(store)
    app = FastAPI(title="A store over HTTP")

    @app.put("/files/{name:path}")
    async def upload(name: str, request: Request) -> JSONResponse:
        known = store.id(name)
        # Nothing is named before all of it is there: who breaks off leaves what was.
        stored = await twin.put_stream(Body(request), name=name)
        answer = {"name": name, "id": stored.id, "size": stored.size, "new_bytes": stored.new_size}
        return JSONResponse(answer, 200 if known else 201)

    @app.api_route("/files/{name:path}", methods=["GET", "HEAD"])
    def download(name: str, request: Request) -> Response:
        entry = store.entry(name)
        size = None if entry is None or entry.is_folder else store.size(entry.id)
        if entry is None or size is None:
            return JSONResponse({"detail": f"there is no file {name}"}, 404)
        headers = {"ETag": f'"{entry.id}"', "Accept-Ranges": "bytes"}
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        try:
            part = asked_range(request.headers.get("Range"), size)
        except ValueError:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        start, end = part or (0, size)
        headers["Content-Length"] = str(end - start)
        if part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        pieces = iter(()) if request.method == "HEAD" else store.pieces(entry.id, start, end - start)
        return StreamingResponse(pieces, 206 if part else 200, headers, "application/octet-stream")

    @app.delete("/files/{name:path}")
    async def delete(name: str) -> Response:
        if not await twin.remove_name(name):
            return JSONResponse({"detail": f"there is no file {name}"}, 404)
        return Response(status_code=204)

    @app.get("/files")
    def names() -> list[dict[str, str]]:
        return [{"name": entry.name, "id": entry.id} for entry in store.names()]

    @app.get("/stats")
    async def stats() -> dict[str, float]:
        return await twin.stats()

    @app.post("/gc")
    async def gc() -> dict[str, int]:
        """Frees what deleted and replaced files had. Call it now and then."""
        return await twin.gc()

    @app.exception_handler(FuseValueError)
    def refuse(request: Request, error: FuseValueError) -> JSONResponse:
        return JSONResponse({"detail": error.reason}, 400)

    return app


def __getattr__(name: str) -> FastAPI:
    """`app`, for servers: made when it is asked for."""
    if name == "app":
        return make_app(os.environ.get("STORE", "files"))
    raise AttributeError(name)
