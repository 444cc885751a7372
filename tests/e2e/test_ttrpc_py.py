# SPDX-License-Identifier: Apache-2.0
"""ttrpc.py against itself: both ends in this process."""
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import ttrpc
from ttrpc import (Client, EventServer, RawConnection, Server, Stub, Task,
                   TtrpcError, message)

SECOND = 1
StateRequest = message("containerd.task.v3.StateRequest")
StateResponse = message("containerd.task.v3.StateResponse")
TaskExit = message("containerd.events.TaskExit")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def echo(call):
    """Answers State with the container's own id."""
    request = StateRequest.FromString(call.payload)
    call.reply(StateResponse(id=request.id))


def pair():
    return [RawConnection(sock) for sock in socket.socketpair()]


def connected(path):
    """A server that answers nothing, its client, and the calls it got."""
    calls = []
    server = Server(path, calls.append).start()
    return server, Client(path), calls


def wait_until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


# The bytes


def test_request_on_the_wire(path):
    calls = []
    with Server(path, calls.append), RawConnection(path) as conn:
        conn.send_raw(bytes.fromhex("0000000d 00000001 01 00"
                                    "0a0173 12016d 1a0170 2080897a"))
        wait_until(lambda: calls)
    call = calls[0]
    assert (call.service, call.method, call.payload) == ("s", "m", b"p")
    assert (call.stream_id, call.deadline) == (1, 0.002)


def test_client_bytes(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    client = Client("unix://" + path, namespace="n")
    sock, _ = listener.accept()
    for stream_id in 1, 3:
        client.begin("s", "m", StateRequest(id="x"), StateResponse)
        data = sock.recv(1 << 16)
        body = (b"\x0a\x01s\x12\x01m\x1a\x03\x0a\x01x\x2a\x1f"
                b"\x0a\x1acontainerd-namespace-ttrpc\x12\x01n")
        assert data == bytes([0, 0, 0, len(body),
                              0, 0, 0, stream_id, 1, 0]) + body
    client.close()
    sock.close()
    listener.close()


def test_recv_frame_keeps_what_came_before_a_timeout():
    a, b = pair()
    with a, b:
        for part in b"\0\0\0\2", b"\0\0\0\7\2\0h":
            b.send_raw(part)
            with pytest.raises(TimeoutError):
                a.recv_frame(timeout=0)
        b.send_raw(b"i")
        assert a.recv_frame(timeout=SECOND) == (7, 2, 0, b"hi")
        b.send_frame(9, ttrpc.DATA, ttrpc.REMOTE_CLOSED)
        assert a.recv_frame() == (9, 3, 1, b"")
        b.send_raw(b"\0")
        b.shutdown()
        with pytest.raises(ConnectionError):
            a.recv_frame()


def test_recv_frame_refuses_big_lengths():
    a, b = pair()
    with a, b:
        b.send_raw(ttrpc.HEADER.pack(ttrpc.MAX_DATA + 1, 1, 2, 0))
        with pytest.raises(ttrpc.ProtocolError):
            a.recv_frame()


# Calls


@pytest.mark.parametrize("version", [2, 3])
def test_stub(path, version):
    calls = []

    def handle(call):
        calls.append(call)
        echo(call)

    with Server(path, handle), Client(path, namespace="ns") as client:
        task = Task(client, version)
        assert task.State(id="x", deadline=3).id == "x"
        assert task.begin("State", id="y").result(SECOND).id == "y"
        with pytest.raises(AttributeError):
            task.NoSuchMethod()
    assert calls[0].service == f"containerd.task.v{version}.Task"
    assert calls[0].deadline == 3
    assert calls[1].deadline == 0
    assert calls[0].metadata == [("containerd-namespace-ttrpc", "ns")]


def test_status_becomes_an_error(path):
    with Server(path) as server, Client(path) as client:
        with pytest.raises(TtrpcError) as caught:
            Task(client).Pids(id="x")
        assert caught.value.code == ttrpc.UNIMPLEMENTED
        assert caught.value.message == "containerd.task.v3.Task/Pids"
        assert not server.errors


def test_big_payload(path):
    big = "x" * (3 << 20)
    with Server(path, echo), Client(path) as client:
        assert Task(client).State(id=big).id == big


def test_concurrent_calls_answered_out_of_order(path):
    """16 threads, 50 calls each; each round is answered shuffled."""
    held = []

    def handle(call):
        held.append(call)
        if len(held) == 16:
            random.shuffle(held)
            for one in held:
                echo(one)
            held.clear()

    def caller(thread):
        for i in range(50):
            name = f"{thread}-{i}"
            assert task.State(id=name, timeout=30).id == name

    with Server(path, handle), Client(path) as client:
        task = Task(client)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(caller, range(16)))
        assert not client.stray


def test_timeout_and_a_late_answer(path):
    server, client, calls = connected(path)
    with pytest.raises(TimeoutError):
        Task(client).State(id="x", timeout=0.05)
    echo(calls[0])
    later = Task(client).begin("State", id="y")
    wait_until(lambda: len(calls) == 2)
    echo(calls[1])
    assert later.result(SECOND).id == "y"
    assert [frame.stream_id for frame in client.stray] == [1]
    client.close()
    server.stop()


# Bad peers


def test_peer_closes(path):
    server, client, calls = connected(path)
    open_call = Task(client).begin("Wait", id="x")
    wait_until(lambda: calls)
    server.stop()
    with pytest.raises(ConnectionError):
        open_call.result(SECOND)
    assert client.closed.wait(SECOND)
    with pytest.raises(ConnectionError):
        Task(client).State(id="x")
    with pytest.raises(FileNotFoundError):
        Client(path)
    client.close()


@pytest.mark.parametrize("frame", [
    (1, ttrpc.DATA, 0, b""),
    (1, ttrpc.RESPONSE, ttrpc.REMOTE_OPEN, b""),
    (1, ttrpc.REQUEST, 0, b""),
])
def test_peer_breaks_the_protocol(path, frame):
    server, client, calls = connected(path)
    future = Task(client).begin("State", id="x")
    wait_until(lambda: calls)
    calls[0].conn.send_frame(*frame)
    with pytest.raises(ttrpc.ProtocolError):
        future.result(SECOND)
    client.close()
    server.stop()


def test_server_notes_garbage(path):
    with Server(path) as server, RawConnection(path) as conn:
        conn.send_frame(1, ttrpc.REQUEST, 0, b"\xff")
        assert conn.recv_frame(timeout=SECOND) is None
        wait_until(lambda: server.errors)


# Events


def forward(client, id):
    event = TaskExit(container_id=id, id=id)
    packed = {"type_url": "containerd.events.TaskExit",
              "value": event.SerializeToString()}
    return Stub(client, EventServer.SERVICE).begin(
        "Forward", envelope={"topic": "/tasks/exit", "event": packed})


def test_events_in_order(path):
    with EventServer(path) as events, Client(path) as client:
        for i in range(100):
            forward(client, str(i)).result(SECOND)
        last = events.wait_event("/tasks/exit", container_id="99")
        assert last is events.events[-1]
        assert [e.message.id for e in events.events] == \
            [str(i) for i in range(100)]
        with pytest.raises(TimeoutError):
            events.wait_event("/tasks/oom", timeout=0.01)


def test_events_stalled(path):
    with EventServer(path) as events, Client(path) as client:
        events.mode = "stall"
        pending = forward(client, "x")
        events.wait_for(lambda e: e.attempts)
        assert not events.events and not pending.done()
        events.resume()
        pending.result(SECOND)
        events.wait_event("/tasks/exit", id="x")


def test_events_refused(path):
    with EventServer(path) as events, Client(path) as client:
        events.mode = "refuse"
        with pytest.raises(TtrpcError) as caught:
            forward(client, "x").result(SECOND)
        assert caught.value.code == ttrpc.UNAVAILABLE
        assert events.attempts and not events.events


def test_events_close_mid_call(path):
    with EventServer(path) as events:
        with Client(path) as client:
            events.mode = "close"
            with pytest.raises(ConnectionError):
                forward(client, "x").result(SECOND)
        events.mode = "accept"
        with Client(path) as client:
            forward(client, "x").result(SECOND)
        assert len(events.attempts) == 2
        assert not events.errors


def test_events_stop_and_start(path):
    events = EventServer(path).start()
    client = Client(path)
    events.stop(unlink=False)
    assert client.closed.wait(SECOND)
    client.close()
    with pytest.raises(ConnectionRefusedError):
        Client(path)
    events.start()
    with Client(path) as client:
        forward(client, "x").result(SECOND)
    events.wait_event("/tasks/exit", id="x")
    events.stop()
    events.stop()
    assert events.connections == 0
