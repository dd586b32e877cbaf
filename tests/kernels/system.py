# SPDX-License-Identifier: GPL-2.0-only
"""A whole Debian 12 as a guest: its root made by debootstrap from where this machine's apt gets its own packages, the
kernels of guest.py, systemd as process 1, and a network card whose cable ends in a namespace of this machine.

Owns the root's image, the namespace and the life of one QEMU process. What is installed and asked is the caller's.
A guest keeps what it writes over its reboots; the image stays as it was made.
"""
import base64
import gzip
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

import guest

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASE = 'bookworm'
# What a server has beside the essential: an init, the bus that its tools speak over, links and devices.
INCLUDE = 'systemd-sysv,dbus,iproute2,kmod,udev'
DRIVERS = ('virtio_pci', 'virtio_blk', 'ext4', 'crc32c_generic')  # of the disk; ext4 asks for crc32c by name
IMAGE_BYTES = 1 << 30
BOOT_SECONDS = 300
OURS, THEIRS = '192.0.2.1', '192.0.2.2'
MAC = '02:00:5e:00:53:02'
AGENT = '/usr/local/sbin/system-agent'
FILES = {
    '/etc/hostname': 'telescope\n',
    '/etc/fstab': '/dev/vda / ext4 defaults 0 0\n',
    '/etc/systemd/network/10-telescope.network':
        f'[Match]\nName=eth0\n[Network]\nAddress={THEIRS}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n',
    '/etc/systemd/system/system-agent.service':
        f'[Unit]\nAfter=multi-user.target\n[Service]\nExecStart={AGENT}\nRestart=always\n',
}
WANTS = {'/etc/systemd/system/graphical.target.wants/system-agent.service': '/etc/systemd/system/system-agent.service',
         '/etc/systemd/system/multi-user.target.wants/systemd-networkd.service': '/lib/systemd/system/systemd-networkd.service'}


class Lost(Exception):
    """The guest does not answer, or not any more."""


# --- the root ------------------------------------------------------------------------------------------------

def sources():
    """[(URI, suite)] of Debian 12's main part, as this machine's apt is configured."""
    told = guest.run('apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(ORIGIN)', 'Created-By: Packages',
                     'Component: main')
    rows = dict.fromkeys(tuple(line.split(' ', 2)) for line in told.splitlines())
    return [(uri, suite) for uri, suite, origin in rows if origin == 'Debian' and suite.split('-')[0] == RELEASE]


def proxies():
    """For programs that ask the environment: the proxies that apt is told to use."""
    dump = guest.run('apt-config', 'dump', '--format', '%f %v%n')
    return {f'{kind}_proxy': value for kind, value in re.findall(r'^Acquire::(https?)::proxy (\S+)$', dump, re.MULTILINE | re.IGNORECASE)}


def in_root(root, *argv, timeout=240):
    env = {**os.environ, **proxies(), 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8',
           'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}
    return guest.run('chroot', root, *argv, timeout=timeout, env=env)


def make_base(cache):
    """The clean root as a tar archive: cached for a day, else made anew."""
    archive = f'{cache}/base.tar'
    if os.path.exists(archive) and time.time() - os.path.getmtime(archive) < 86400:
        return archive
    main = [uri for uri, suite in sources() if suite == RELEASE]
    if not main:
        raise guest.Unreachable(f'apt is configured without {RELEASE} main')
    secure = ',ca-certificates' if main[0].startswith('https') else ''
    with tempfile.TemporaryDirectory(prefix='airglow-root-') as work:
        guest.run('debootstrap', '--variant=minbase', f'--include={INCLUDE}{secure}', RELEASE, f'{work}/root', main[0],
                  timeout=400, env={**os.environ, **proxies()})
        with open(f'{work}/root/etc/apt/sources.list', 'w', encoding='utf-8') as file:
            file.writelines(f'deb {uri} {suite} main\n' for uri, suite in sources())
        guest.run('tar', '-C', f'{work}/root', '--exclude=./var/cache/apt/archives/*.deb', '-cf', f'{archive}.new', '.')
    os.rename(f'{archive}.new', archive)
    return archive


def make_image(cache, image, packages):
    """A disk with the clean root, the packages' files in /srv and installed by apt, with what they depend on."""
    with tempfile.TemporaryDirectory(prefix='airglow-root-') as root:
        guest.run('tar', '-C', root, '-xf', make_base(cache))
        for package in packages:
            guest.place(root, package, f'/srv/{os.path.basename(package)}')
        in_root(root, 'apt-get', 'update', '-q')
        said = in_root(root, 'apt-get', 'install', '-q', '-y', *(f'/srv/{os.path.basename(p)}' for p in packages))
        in_root(root, 'apt-get', 'clean')
        guest.place(root, f'{HERE}/system-agent', AGENT, 0o755)
        for path, text in FILES.items():
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, 'w', encoding='utf-8') as file:
                file.write(text)
        for path, target in WANTS.items():
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(target, root + path)
        guest.run('mke2fs', '-q', '-F', '-t', 'ext4', '-d', root, image, str(IMAGE_BYTES >> 10))
    return said


def make_initrd(kernel, archive):
    with tempfile.TemporaryDirectory(prefix='airglow-initrd-') as tree:
        for name in ('bin', 'proc', 'sys', 'dev', 'mnt'):
            os.mkdir(f'{tree}/{name}')
        guest.place(tree, shutil.which('busybox'), '/bin/busybox', 0o755)
        guest.place(tree, f'{HERE}/system-init', '/init', 0o755)
        shutil.copytree(f'{kernel}/modules', f'{tree}/modules')
        guest.pack(tree, archive)


# --- the network ---------------------------------------------------------------------------------------------

class Sky:
    """A namespace with one end of the guest's cable, `sky0`, from where dark addresses are reached through the guest."""

    def __init__(self, name, dark4):
        self.name, self.dark4 = f'ag-sky-{os.getpid()}-{name}', dark4

    def __enter__(self):
        guest.run('ip', 'netns', 'add', self.name)
        try:
            self.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
            self.ip('tuntap', 'add', 'dev', 'sky0', 'mode', 'tap')
            self.ip('link', 'set', 'sky0', 'up', 'txqueuelen', '10000')
            self.ip('address', 'add', f'{OURS}/24', 'dev', 'sky0')
            self.ip('neighbour', 'add', THEIRS, 'lladdr', MAC, 'dev', 'sky0', 'nud', 'permanent')
            for prefix in self.dark4:
                self.ip('route', 'add', prefix, 'via', THEIRS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(['ip', 'netns', 'del', self.name], check=False)

    def ip(self, *words):
        return guest.run('ip', '-n', self.name, *words)

    def words(self, *command):
        return ['ip', 'netns', 'exec', self.name, *command]

    def run(self, *command, timeout=120):
        return guest.run(*self.words(*command), timeout=timeout)


# --- the machine ---------------------------------------------------------------------------------------------

class Machine:
    """A guest that is up: `with Machine(...) as machine: machine.ask(script)`. What it writes goes to a copy of the image.
    Each boot has a process of its own: emulated machines that are reset do not always come up again."""

    def __init__(self, kernel, image, sky, card):
        self.kernel, self.image, self.sky, self.card = kernel, image, sky, card
        self.asked, self.heard, self.qemu, self.line = 0, b'', None, None
        self.work = tempfile.TemporaryDirectory(prefix='airglow-machine-')

    def __enter__(self):
        try:
            make_initrd(self.kernel, f'{self.work.name}/initrd')
            guest.run('cp', '--sparse=always', self.image, f'{self.work.name}/disk')
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.switch_off()
        self.work.cleanup()

    def start(self):
        work = self.work.name
        argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg,thread=multi',
                '-cpu', 'max', '-smp', '2', '-m', '1G', '-display', 'none', '-monitor', 'none', '-no-reboot',
                '-chardev', f'file,id=console,path={work}/console', '-device', 'isa-serial,chardev=console',
                '-chardev', f'socket,id=agent,path={work}/agent,server=on,wait=off', '-device', 'isa-serial,chardev=agent',
                '-drive', f'file={work}/disk,format=raw,if=virtio,cache=unsafe', '-device', 'virtio-rng-pci',
                '-netdev', 'tap,id=cable,ifname=sky0,script=no,downscript=no',
                '-device', f'{self.card},netdev=cable,mac={MAC}',
                '-kernel', f'{self.kernel}/vmlinuz', '-initrd', f'{work}/initrd',
                '-append', 'console=ttyS0 panic=-1 oops=panic quiet mitigations=off net.ifnames=0']
        with open(f'{work}/qemu', 'wb') as log:
            self.qemu = subprocess.Popen(self.sky.words(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.connect()
        self.hear(r'.*ready', BOOT_SECONDS)

    def switch_off(self):
        if self.line:
            self.line.close()
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        self.heard, self.line = b'', None

    def connect(self):
        self.line = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 60
        while True:
            try:
                self.line.connect(f'{self.work.name}/agent')
                return
            except OSError:
                if time.monotonic() > end or self.qemu.poll() is not None:
                    raise Lost('qemu does not start: ' + self.words_of('qemu')) from None
                time.sleep(0.1)

    def words_of(self, name):
        with open(f'{self.work.name}/{name}', encoding='utf-8', errors='replace') as file:
            return ''.join(file.readlines()[-25:]).replace('\r', '')

    def hear(self, pattern, seconds):
        """The next whole line from the agent that fits; others are left-overs of a script that took too long."""
        end = time.monotonic() + seconds
        while True:
            while b'\n' in self.heard:
                line, self.heard = self.heard.split(b'\n', 1)
                if found := re.fullmatch(pattern, line.strip(b'\r\0').decode(errors='replace')):
                    return found
            if time.monotonic() > end:
                raise Lost(f'no answer within {seconds} s; the console\'s last words:\n' + self.words_of('console'))
            if select.select([self.line], [], [], 1)[0]:
                if not (data := self.line.recv(65536)):
                    raise Lost('qemu ended: ' + self.words_of('qemu') + self.words_of('console'))
                self.heard += data

    def tell(self, script, seconds):
        self.asked += 1
        words = base64.b64encode(script.encode()).decode()
        self.line.sendall(f'{self.asked} {seconds} {words}\n'.encode())

    def ask(self, script, seconds=60):
        """Exit status and output of a script for bash, run as root."""
        self.tell(script, seconds)
        found = self.hear(rf'{self.asked} (\d+) (\S+)', seconds + 60)
        return int(found[1]), gzip.decompress(base64.b64decode(found[2])).decode(errors='replace')

    def reboot(self):
        """As an administrator does it: the machine goes down by itself, and gives no answer any more."""
        self.tell('systemctl reboot', 60)
        try:
            self.qemu.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Lost('it does not go down; the console\'s last words:\n' + self.words_of('console')) from None
        self.switch_off()
        self.start()

    def reset(self):
        """As a power failure does it: what was not written is lost."""
        self.switch_off()
        self.start()
