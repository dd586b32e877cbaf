# SPDX-License-Identifier: GPL-2.0-only
"""Debian's stock kernels as guests: fetched with apt without being installed, booted in QEMU by software emulation.

Owns kernels, modules, initial file systems and the life of one QEMU process. What runs inside, and what its results
mean, is the caller's: a guest gets a directory tree, and gives back the directory /out as its init left it.

A kernel's cache is a directory with `vmlinuz`, `release` (the words of uname -r) and `modules/NN-name.ko`, to be
loaded in that order.
"""
import glob
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('AIRGLOW_BUILD') or os.path.join(os.path.dirname(os.path.dirname(HERE)), 'build')
# A package of each series, without its flavour: cloud kernels have what a virtual machine needs, and little else.
SERIES = {
    '6.1': r'linux-image-6\.1\.0-(\d+)',
    '6.12': r'linux-image-6\.12\.(\d+)\+(?:deb|bpo)12',
}
CLOUD, GENERIC = 'cloud-amd64', 'amd64'
WANTED_MODULES = ('virtio_pci', 'virtio_blk', 'veth')
DISK_BYTES = 64 << 20
# A sensor gives its rights up: there is somebody to become.
USERS = {'/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
         '/etc/group': 'root:x:0:\nnogroup:x:65534:\n'}


class Unreachable(Exception):
    """No source of this machine offers the kernel."""


def run(*argv, timeout=120, **options):
    """Its standard output; RuntimeError with the last words of its standard error."""
    done = subprocess.run(argv, capture_output=True, timeout=timeout, check=False, **options)
    if done.returncode:
        words = done.stderr.decode(errors='replace').strip().splitlines()[-3:]
        raise RuntimeError(f'{" ".join(argv[:3])} …: exit status {done.returncode}: {"; ".join(words)}')
    return done.stdout.decode(errors='replace')


def newest_package(series, flavour=CLOUD):
    """The newest package of a series that the configured sources offer, or None."""
    names = run('apt-cache', 'pkgnames', f'linux-image-{series}.').split()
    found = sorted((int(m[1]), name) for name in names if (m := re.fullmatch(f'{SERIES[series]}-{flavour}', name)))
    for _, name in reversed(found):
        if re.search(r'Candidate: \d', run('apt-cache', 'policy', name)):
            return name
    return None


def fetch_kernel(series, cache, flavour=CLOUD, wanted=WANTED_MODULES):
    """The directory of the newest kernel of a series: cached, else downloaded. Never installed. A cache holds kernels
    with the same wanted modules."""
    pattern = re.compile(f'{SERIES[series]}-{flavour}')
    cached = sorted((d for d in glob.glob(f'{cache}/linux-image-*') if pattern.fullmatch(os.path.basename(d))),
                    key=lambda d: int(pattern.fullmatch(os.path.basename(d))[1]))
    package = newest_package(series, flavour)
    if not package:
        if cached:
            return cached[-1]
        raise Unreachable(f'apt-cache names no package like linux-image-{series}…-{flavour}')
    home = f'{cache}/{package}'
    if home not in cached:
        with tempfile.TemporaryDirectory(dir=cache) as work:
            run('apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=root', package, cwd=work, timeout=180)
            run('dpkg-deb', '-x', glob.glob(f'{work}/*.deb')[0], f'{work}/root')
            keep_kernel(f'{work}/root', f'{work}/kept', wanted)
            os.rename(f'{work}/kept', home)
        for old in cached:
            shutil.rmtree(old)
    return home


def keep_kernel(root, home, wanted):
    release = os.listdir(f'{root}/lib/modules')[0]
    os.makedirs(f'{home}/modules')
    shutil.copy(f'{root}/boot/vmlinuz-{release}', f'{home}/vmlinuz')
    with open(f'{home}/release', 'w', encoding='ascii') as file:
        file.write(release)
    for n, (name, code) in enumerate(order_modules(f'{root}/lib/modules/{release}', wanted)):
        with open(f'{home}/modules/{n:02}-{name}.ko', 'wb') as file:
            file.write(code)


def order_modules(tree, wanted):
    """The wanted modules that are not built in, after what they depend on: [(name, content), …]."""
    def name_of(path):
        return os.path.basename(path).split('.')[0].replace('-', '_')

    paths = {name_of(p): p for p in glob.glob(f'{tree}/kernel/**/*.ko*', recursive=True)}
    with open(f'{tree}/modules.builtin', encoding='ascii') as file:
        builtin = {name_of(line.strip()) for line in file}
    ordered = {}

    def add(name):
        if name in builtin or name in ordered:
            return
        opened = lzma.open if paths[name].endswith('.xz') else open
        with opened(paths[name], 'rb') as file:
            code = file.read()
        # .modinfo: strings of KEY=VALUE, each with a NUL before it and behind it.
        for needed in re.search(rb'\0depends=([^\0]*)\0', code)[1].decode().split(','):
            if needed:
                add(needed.replace('-', '_'))
        ordered[name] = code

    for name in wanted:
        add(name)
    return ordered.items()


def place(tree, source, target=None, mode=None):
    """A file into the tree: at its own path, or at another."""
    path = f'{tree}/{(target or source).lstrip("/")}'
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(source, path)
    if mode:
        os.chmod(path, mode)


def place_program(tree, program, target):
    """A program, and the shared libraries that ldd names, at the paths where its loader looks."""
    place(tree, program, target, 0o755)
    done = subprocess.run(['ldd', program], capture_output=True, text=True, check=False)
    if done.returncode:  # static
        return
    for path in re.findall(r'(?:=> |^\s+)(/\S+) \(', done.stdout, re.MULTILINE):
        place(tree, path)
    missing = re.findall(r'(\S+) => not found', done.stdout)
    if missing:
        raise RuntimeError(f'{program}: this machine has no {", ".join(missing)}')


def pack(tree, archive):
    """The tree as an initial file system. Not compressed: an emulated machine is slow to unpack."""
    names = run('find', '.', '-print0', cwd=tree)
    with open(archive, 'wb') as out:
        subprocess.run(['cpio', '--quiet', '-0', '-o', '-H', 'newc', '-R', '0:0'], input=names.encode(), stdout=out,
                       cwd=tree, check=True, timeout=60)


def plant(kernel, tree, script):
    """The file system of a guest that runs this script of tests/kernels: busybox, the programs under test, and who there is."""
    for folder in ('proc', 'sys', 'dev', 'tmp', 'run', 'root', 'etc', 'test'):
        os.makedirs(f'{tree}/{folder}', exist_ok=True)
    place(tree, shutil.which('busybox'), '/bin/busybox', 0o755)
    place(tree, f'{HERE}/guest-init', '/init', 0o755)
    place(tree, f'{HERE}/{script}', '/test/run', 0o755)
    for name in ('airglow', 'ibr'):
        place_program(tree, f'{BUILD}/{name}', f'/test/{name}')
    place_program(tree, shutil.which('ip'), '/test/ip')
    shutil.copytree(f'{kernel}/modules', f'{tree}/modules')
    for path, text in USERS.items():
        with open(tree + path, 'w', encoding='ascii') as file:
            file.write(text)


def visit(kernel, work, plants, seconds):
    """Boots a kernel with the file system that plants(tree) makes; (the directory of its answers or None, why not)."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(f'{work}/tree')
    try:
        plants(f'{work}/tree')
        pack(f'{work}/tree', f'{work}/initrd')
        good, why = boot(kernel, f'{work}/initrd', work, seconds)
    finally:
        shutil.rmtree(f'{work}/tree')
        for name in ('initrd', 'disk'):
            if os.path.exists(f'{work}/{name}'):
                os.unlink(f'{work}/{name}')
    return f'{work}/out' if good else None, why


def boot(kernel, archive, work, seconds):
    """Boots; (True, '') when the guest switched itself off in time, else (False, why). Its /out is in work/out."""
    disk, console = f'{work}/disk', f'{work}/console'
    with open(disk, 'wb') as file:
        file.truncate(DISK_BYTES)
    argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-accel', 'tcg,thread=multi', '-cpu', 'max',
            '-smp', '2,maxcpus=128', '-m', '1G', '-nographic', '-serial', 'stdio', '-monitor', 'none', '-no-reboot',
            '-drive', f'file={disk},format=raw,if=virtio,cache=unsafe',
            '-kernel', f'{kernel}/vmlinuz', '-initrd', archive,
            '-append', 'console=ttyS0 rdinit=/init panic=-1 oops=panic quiet mitigations=off']
    with open(console, 'wb') as out:
        qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            status, why = qemu.wait(timeout=seconds), ''
        except subprocess.TimeoutExpired:
            status, why = None, f'it did not end within {seconds} s'
        finally:
            if qemu.poll() is None:
                qemu.kill()
                qemu.wait()
    if status:
        why = f'qemu: exit status {status}'
    if not why:
        try:
            with tarfile.open(disk) as tar:
                tar.extractall(f'{work}/out')
            if not os.path.exists(f'{work}/out/release'):
                why = 'it ended early and left no results'
        except tarfile.TarError as err:
            why = f'it left no results: {err}'
    if not why:
        return True, ''
    with open(console, encoding='utf-8', errors='replace') as file:
        return False, why + '; its last words:\n' + ''.join(file.readlines()[-25:]).replace('\r', '')
