# SPDX-License-Identifier: Apache-2.0
"""ttrpc for tests: a synchronous client, a threaded server, an Events server.

    client = Client("unix:///run/containerd/s/...")
    task = Task(client)                     # or Task(client, version=2)
    task.Create(id="x", bundle=bundle)      # blocks; raises TtrpcError
    waiting = task.begin("Wait", id="x")    # a concurrent.futures.Future
    task.Kill(id="x", signal=9, timeout=5)  # TimeoutError after 5 s
    task.State(id="x", deadline=5)          # the peer is told: 5 s left
    waiting.result(timeout=5).exit_status

    with EventServer(path) as events:       # give path as TTRPC_ADDRESS
        exit = events.wait_event("/tasks/exit", container_id="x")
        exit.message.exit_status

A peer that misbehaves is written with RawConnection. Messages are found by
full name: message("containerd.task.v3.StateRequest").
"""
import importlib
import itertools
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple
from concurrent.futures import Future
from pathlib import Path

from google.protobuf import any_pb2, empty_pb2, timestamp_pb2

import poll

ROOT = Path(__file__).resolve().parents[2]

REQUEST, RESPONSE, DATA = 1, 2, 3
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4
MAX_DATA = 4 << 20
HEADER = struct.Struct(">IIBB")  # data length, stream id, type, flags

OK, CANCELED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED = range(5)
NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED = range(5, 9)
FAILED_PRECONDITION, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 9, 12, 13, 14

Frame = namedtuple("Frame", "stream_id type flags data")


class TtrpcError(Exception):
    """The peer answered with a status that is not OK."""

    def __init__(self, code, message):
        super().__init__(f"status {code}: {message}")
        self.code = code
        self.message = message


class ProtocolError(Exception):
    """The peer broke the rules of ttrpc."""


# Messages


def ensure_protos():
    """Generate build/proto-py from proto/ if stale; safe to race with."""
    protos = sorted((ROOT / "proto").glob("*.proto"))
    out = ROOT / "build" / "proto-py"
    stamp = out / "stamp"
    newest = max(p.stat().st_mtime_ns for p in protos)
    if not stamp.exists() or stamp.stat().st_mtime_ns != newest:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent) as tmp:
            subprocess.run(["protoc", f"-I{ROOT / 'proto'}",
                            f"--python_out={tmp}", *map(str, protos)],
                           check=True)
            for path in Path(tmp).iterdir():
                path.replace(out / path.name)
        stamp.touch()
        os.utime(stamp, ns=(newest, newest))
    if str(out) not in sys.path:
        sys.path.append(str(out))
    return [importlib.import_module(p.stem + "_pb2") for p in protos]


_messages, _services = {}, {}
for _module in any_pb2, empty_pb2, timestamp_pb2, *ensure_protos():
    for _name, _desc in _module.DESCRIPTOR.message_types_by_name.items():
        _messages[_desc.full_name] = getattr(_module, _name)
    for _desc in _module.DESCRIPTOR.services_by_name.values():
        _services[_desc.full_name] = _desc


def message(full_name):
    """The class of a message, by its full name."""
    return _messages[full_name]


def unpack_any(packed):
    """The message in an Any, whose type URL may lack the usual prefix."""
    cls = message(packed.type_url.rpartition("/")[2])
    return cls.FromString(packed.value)


_Request = message("ttrpc.Request")
_Response = message("ttrpc.Response")
_Forward = message("containerd.services.events.ttrpc.v1.ForwardRequest")


# Connections


def socket_path(address):
    return str(address).removeprefix("unix://")


class RawConnection:
    """Frames over a socket, with no opinion on what is legal."""

    SEND_TIMEOUT_S = 30

    def __init__(self, address_or_socket):
        if isinstance(address_or_socket, socket.socket):
            self.sock = address_or_socket
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                self.sock.connect(socket_path(address_or_socket))
            except OSError:
                self.sock.close()
                raise
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                             struct.pack("ll", self.SEND_TIMEOUT_S, 0))
        self._received = bytearray()
        self._send_lock = threading.Lock()

    def send_raw(self, data):
        with self._send_lock:
            try:
                self.sock.sendall(data)
            except BlockingIOError:
                raise TimeoutError("the peer does not read") from None

    def send_frame(self, stream_id, type, flags=0, data=b""):
        head = HEADER.pack(len(data), stream_id, type, flags)
        self.send_raw(head + data)

    def send_request(self, stream_id, service, method, payload=b"",
                     metadata=None, deadline=None):
        request = _Request(service=service, method=method, payload=payload,
                           timeout_nano=int((deadline or 0) * 1e9))
        for key, values in (metadata or {}).items():
            for value in [values] if isinstance(values, str) else values:
                request.metadata.add(key=key, value=value)
        self.send_frame(stream_id, REQUEST, 0, request.SerializeToString())

    def recv_frame(self, timeout=None):
        """The next frame, or None at the end of the stream.

        After a TimeoutError nothing is lost: call again.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._fill(HEADER.size, deadline):
            return None
        length, *rest = HEADER.unpack_from(self._received)
        if length > MAX_DATA:
            raise ProtocolError(f"a frame of {length} bytes")
        end = HEADER.size + length
        if not self._fill(end, deadline):
            return None
        data = bytes(self._received[HEADER.size:end])
        del self._received[:end]
        return Frame(*rest, data)

    def _fill(self, size, deadline):
        """Have `size` bytes; False if the stream ended before the first."""
        while len(self._received) < size:
            if deadline is not None:
                self._wait_readable(deadline)
            data = self.sock.recv(1 << 16)
            if not data and self._received:
                raise ConnectionError("the stream ended inside a frame")
            if not data:
                return False
            self._received += data
        return True

    def _wait_readable(self, deadline):
        ready = select.poll()
        ready.register(self.sock, select.POLLIN)
        left_ms = max(0, deadline - time.monotonic()) * 1000
        if not ready.poll(left_ms):
            raise TimeoutError("no frame")

    def shutdown(self):
        """The stream ends, for the peer and for a thread blocked in it."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has already

    def close(self):
        self.shutdown()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client:
    """Unary calls over one connection, from any number of threads.

    `closed` is set once the peer has gone. `stray` collects the frames that
    nobody waits for: answers to calls that timed out, or second answers.
    """

    def __init__(self, address, namespace="test"):
        self.metadata = {"containerd-namespace-ttrpc": namespace}
        self.closed = threading.Event()
        self.stray = []
        self._conn = RawConnection(address)
        self._ids = itertools.count(1, 2)
        self._order = threading.Lock()  # ids grow on the wire
        self._pending = {}  # stream id -> (Future, class); pop() claims
        self._error = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, service, method, request, response_cls, metadata=None,
              deadline=None):
        """Send a request; the Future's result is the response.

        The peer is told that `deadline` seconds are left.
        """
        future = Future()
        with self._order:
            stream_id = next(self._ids)
            future.stream_id = stream_id
            self._pending[stream_id] = future, response_cls
            try:
                if self._error:  # after it is in _pending: see _read
                    raise self._error
                self._conn.send_request(
                    stream_id, service, method, request.SerializeToString(),
                    {**self.metadata, **(metadata or {})}, deadline)
            except Exception:
                self._pending.pop(stream_id, None)
                raise
        return future

    def call(self, service, method, request, response_cls, timeout=None,
             metadata=None, deadline=None):
        """The response; TtrpcError, TimeoutError or ConnectionError.

        `timeout` seconds is our patience; the peer does not hear of it.
        """
        future = self.begin(service, method, request, response_cls, metadata,
                            deadline)
        try:
            return future.result(timeout and timeout * poll.SLOW)
        except TimeoutError:
            self._pending.pop(future.stream_id, None)
            raise TimeoutError(f"{method}: no answer in {timeout} s") from None

    def _read(self):
        try:
            while frame := self._conn.recv_frame():
                self._receive(frame)
            self._error = ConnectionError("the peer closed the connection")
        except Exception as error:
            self._error = error
        self.closed.set()
        while self._pending:
            _, (future, _) = self._pending.popitem()
            future.set_exception(self._error)

    def _receive(self, frame):
        if frame.type != RESPONSE or frame.flags:
            raise ProtocolError(f"not a unary response: {frame}")
        future, cls = self._pending.pop(frame.stream_id, (None, None))
        if not future:
            self.stray.append(frame)
            return
        try:
            response = _Response.FromString(frame.data)
            status = response.status
            if status.code != OK:
                raise TtrpcError(status.code, status.message)
            future.set_result(cls.FromString(response.payload))
        except Exception as error:
            future.set_exception(error)

    def close(self):
        self._conn.shutdown()
        self._reader.join()
        self._conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Stub:
    """A method per RPC of a service: stub.State(id="x") -> StateResponse."""

    TIMEOUT_S = 60  # so that a hung peer fails the test

    def __init__(self, client, service, name=None):
        """`name`: what the service is called on the wire, if not that."""
        self._client = client
        self._service = name or service
        self._methods = {m.name: (message(m.input_type.full_name),
                                  message(m.output_type.full_name))
                         for m in _services[service].methods}

    def __getattr__(self, method):
        if method not in self._methods:
            raise AttributeError(method)

        def call(timeout=self.TIMEOUT_S, metadata=None, deadline=None,
                 **fields):
            return self._client.call(*self._args(method, fields), timeout,
                                     metadata, deadline)
        return call

    def begin(self, method, metadata=None, deadline=None, **fields):
        """The same, but a Future, for calls that stay open."""
        return self._client.begin(*self._args(method, fields), metadata,
                                  deadline)

    def _args(self, method, fields):
        request, response = self._methods[method]
        return self._service, method, request(**fields), response


def Task(client, version=3):
    return Stub(client, "containerd.task.v3.Task",
                f"containerd.task.v{version}.Task")


def Sandbox(client):
    return Stub(client, "containerd.runtime.sandbox.v1.Sandbox")


# Servers


class Call:
    """One request a Server got. Answer it now, later, twice or never."""

    def __init__(self, conn, frame):
        request = _Request.FromString(frame.data)
        self.conn = conn
        self.stream_id = frame.stream_id
        self.service = request.service
        self.method = request.method
        self.payload = request.payload
        self.deadline = request.timeout_nano / 1e9
        self.metadata = [(kv.key, kv.value) for kv in request.metadata]

    def reply(self, response):
        self._answer(_Response(payload=response.SerializeToString()))

    def fail(self, code, message):
        self._answer(_Response(status={"code": code, "message": message}))

    def _answer(self, response):
        self.conn.send_frame(self.stream_id, RESPONSE, 0,
                             response.SerializeToString())


class Server:
    """Listens at a unix socket; handle(call) runs in each connection's own
    thread, so calls of one connection come in order. `errors` has what
    peers did wrong, or handle()."""

    def __init__(self, address, handle=None):
        self.path = socket_path(address)
        if handle:
            self.handle = handle
        self.errors = []
        self._listener = None
        self._connections = {}  # RawConnection -> its thread
        self._lock = threading.Lock()

    def handle(self, call):
        call.fail(UNIMPLEMENTED, f"{call.service}/{call.method}")

    def start(self):
        Path(self.path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(128)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def stop(self, unlink=True):
        """Go away: connects fail with ENOENT, or (a daemon that crashed
        leaves its socket) with ECONNREFUSED if not `unlink`."""
        if not self._listener:
            return
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._acceptor.join()
        self._listener.close()
        self._listener = None
        if unlink:
            Path(self.path).unlink(missing_ok=True)
        self.drop_connections()

    def drop_connections(self):
        with self._lock:
            connections = dict(self._connections)
        for conn, thread in connections.items():
            conn.shutdown()
            thread.join()

    @property
    def connections(self):
        """How many are open."""
        return len(self._connections)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            conn = RawConnection(sock)
            thread = threading.Thread(target=self._serve, args=[conn],
                                      daemon=True)
            with self._lock:
                self._connections[conn] = thread
                thread.start()

    def _serve(self, conn):
        try:
            while frame := conn.recv_frame():
                self.handle(Call(conn, frame))
        except OSError:
            pass  # the peer is gone, or stop() was called
        except Exception as error:
            self.errors.append(error)
        finally:
            conn.close()
            with self._lock:
                del self._connections[conn]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


Event = namedtuple("Event", "topic message envelope")


class EventServer(Server):
    """The daemon's end of events.

    `events` are those acknowledged, `attempts` all that arrived, in order.
    `mode` says what happens to the next one:

        accept  acknowledge
        stall   never answer, until resume()
        refuse  answer with a status: `refusal` = (code, message)
        close   close the connection instead of answering
    """

    SERVICE = "containerd.services.events.ttrpc.v1.Events"

    def __init__(self, address):
        super().__init__(address)
        self.mode = "accept"
        self.refusal = UNAVAILABLE, "refused"
        self.events = []
        self.attempts = []
        self._stalled = []
        self._cond = threading.Condition()

    def handle(self, call):
        if (call.service, call.method) != (self.SERVICE, "Forward"):
            return super().handle(call)
        envelope = _Forward.FromString(call.payload).envelope
        event = Event(envelope.topic, unpack_any(envelope.event), envelope)
        with self._cond:
            self.attempts.append(event)
            if self.mode == "stall":
                self._stalled.append((call, event))
            elif self.mode == "refuse":
                call.fail(*self.refusal)
            elif self.mode == "close":
                call.conn.shutdown()
            else:
                self._acknowledge(call, event)
            self._cond.notify_all()

    def _acknowledge(self, call, event):
        call.reply(empty_pb2.Empty())
        self.events.append(event)

    def resume(self):
        """Accept from now on, and acknowledge what was stalled."""
        with self._cond:
            self.mode = "accept"
            stalled, self._stalled = self._stalled, []
            for call, event in stalled:
                try:
                    self._acknowledge(call, event)
                except OSError:
                    pass  # it hung up; the event will come again
            self._cond.notify_all()

    def wait_for(self, predicate, timeout=10):
        """What predicate(self) returns, once that is true."""
        with self._cond:
            result = self._cond.wait_for(lambda: predicate(self),
                                         timeout * poll.SLOW)
            if not result:
                topics = [e.topic for e in self.attempts]
                raise TimeoutError(f"in {timeout} s only {topics}",
                                   *self.errors)
            return result

    def wait_event(self, topic, timeout=10, **fields):
        """The first event of that topic whose message has these fields."""
        def find(_):
            return next((e for e in self.events if e.topic == topic and
                         all(getattr(e.message, name) == value
                             for name, value in fields.items())), None)
        return self.wait_for(find, timeout)
