"""The vendor's client for Python, V2, as a contender of `benches/transfers`.

    python vendor.py TASK ADDRESS BYTES [FILE]

Prints the most memory that the process had, in KiB, and the CPU time until its client was ready, in seconds.
"""

import concurrent.futures
import io
import pathlib
import resource
import sys

import alibabacloud_oss_v2 as oss
# Loaded by the first request otherwise.
import alibabacloud_oss_v2.crc
import alibabacloud_oss_v2.transport.requests_client

BUCKET = "examplebucket"
IN_FLIGHT = 16
PIECE = b"x" * (256 * 1024)
SMALL = b"x" * 1024


class Constant(io.RawIOBase):
    """A stream of so many bytes, which cannot be read again."""

    def __init__(self, size):
        self.left = size

    def readable(self):
        return True

    def seekable(self):
        return False

    def read(self, size=-1):
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        if size <= len(PIECE):
            return PIECE[:size]
        return b"x" * size


class Announced(Constant):
    """The same, with its length."""

    def __len__(self):
        return self.left


def client(address):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        "STS.FakeTempKeyId0002", "FakeTempSecret0002FakeTempSecr", "x" * 720)
    config.region = "cn-hangzhou"
    config.endpoint = f"http://{address}"
    return oss.Client(config)


def transfer(clients, task, size, path):
    names = {"bucket": BUCKET, "key": f"transfers/{size}.bin"}
    if task == "upload-file":
        clients.uploader().upload_file(oss.PutObjectRequest(**names), path)
    elif task == "upload":
        clients.uploader().upload_from(oss.PutObjectRequest(**names), Constant(size))
    elif task == "download-file":
        clients.downloader(parallel_num=1).download_file(oss.GetObjectRequest(**names), path)
    elif task == "download-parts":
        clients.downloader().download_file(oss.GetObjectRequest(**names), path)
    elif task == "put":
        clients.put_object(oss.PutObjectRequest(**names, body=Announced(size)))
    elif task == "get":
        with clients.get_object(oss.GetObjectRequest(**names)).body as body:
            for _ in body.iter_bytes(block_size=256 * 1024):
                pass
    else:
        many(clients, task, size)


def many(clients, task, count):
    def one(number):
        names = {"bucket": BUCKET, "key": f"transfers/{number:05}.txt"}
        if task == "put-small":
            clients.put_object(oss.PutObjectRequest(**names, body=SMALL))
        else:
            with clients.get_object(oss.GetObjectRequest(**names)).body as body:
                body.content

    with concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as executor:
        for done in executor.map(one, range(count)):
            assert done is None


def main():
    task, address, size, *path = sys.argv[1:]
    clients = client(address)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    transfer(clients, task, int(size), *(path or [None]))
    status = pathlib.Path("/proc/self/status").read_text().split()
    print(status[status.index("VmHWM:") + 1], usage.ru_utime + usage.ru_stime)


main()
