"""The kernel's sockets behind walls: nothing that is shown is dropped, and no network address is needed.

zeromq lists network cards when it binds to an address, and aborts the process where a sandbox denies that, so ipykernel's
pipe from forked children becomes a unix socket. Its queue of published outputs drops messages beyond 1,000 by default.
"""

from __future__ import annotations

import os
from typing import Any


def keep_all_outputs() -> None:
    """Must run before the kernel makes its sockets."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    make = IPKernelApp.init_iopub

    def init_iopub(self: Any, context: Any) -> Any:
        context.setsockopt(zmq.SNDHWM, 0)
        return make(self, context)

    IPKernelApp.init_iopub = init_iopub


def use_unix_pipes(prefix: str) -> None:
    """`prefix` is the path of the kernel's sockets. Other versions of ipykernel without these methods need nothing."""
    import zmq
    from ipykernel import iostream
    from zmq.eventloop.zmqstream import ZMQStream

    address = f"ipc://{prefix}-children"
    thread = iostream.IOPubThread
    if not hasattr(thread, "_setup_pipe_in") or not hasattr(thread, "_setup_pipe_out"):
        return

    def setup_in(self: Any) -> None:
        self._pipe_uuid = os.urandom(16)
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(address)
        self._pipe_port = 0
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def setup_out(self: Any) -> Any:
        context = zmq.Context()
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(address)
        return context, pipe

    thread._setup_pipe_in = setup_in
    thread._setup_pipe_out = setup_out
