/**
 * A container as a kernel makes one: a root folder of its own, namespaces, a user without capabilities, and the network of its
 * pod. Linux, as root.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Image } from './image.ts';

/** A file or folder of this machine in a container. */
export interface Mount {
  readonly path: string;
  readonly source: string;
  readonly readOnly: boolean;
}

export interface ContainerOptions {
  readonly name: string;
  readonly image: Image;
  /** In place of the image's entrypoint and arguments. */
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly readOnlyRoot: boolean;
  readonly user: number;
  readonly group: number;
  /** Further groups. */
  readonly groups: readonly number[];
  /** Network namespace of the pod, as a file. */
  readonly network: string;
  /** Names and addresses, as a file that may change. */
  readonly hosts: string;
  /** An empty folder of the container's own. */
  readonly folder: string;
}

/** How a process has ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Makes the root folder $1: the machine's /usr with the image's programs ($2) over it, what is inside, and what is mounted. Each
 * line of the file $3 is `rw|ro SOURCE PATH`. $4 says whether the root itself may be written to.
 */
const ROOT = `
mount --make-rprivate /
root=$1 programs=$2 table=$3 access=$4; shift 4
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root/usr" "$root/etc" "$root/proc" "$root/dev" "$root/opt" "$root/var/lib" "$root/run" "$root/.work/up" "$root/.work/work"
mkdir -m 1777 "$root/tmp"
for each in bin sbin lib lib64; do [ -e "/usr/$each" ] && ln -s "usr/$each" "$root/$each"; done
cp -a "$programs/." "$root/.work/up/"
chmod -R a+rX "$root/.work/up"
mount -t overlay -o "lowerdir=/usr,upperdir=$root/.work/up,workdir=$root/.work/work" overlay "$root/usr"
for each in passwd group nsswitch.conf ld.so.cache ssl; do [ -e "/etc/$each" ] && cp -a "/etc/$each" "$root/etc/"; done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while read -r mode source path; do
  if [ -d "$source" ]; then mkdir -p "$root$path"; else mkdir -p "$(dirname "$root$path")"; touch "$root$path"; fi
  mount --bind "$source" "$root$path"
  [ "$mode" = rw ] || mount -o remount,bind,ro "$root$path"
done <"$table"
[ "$access" = rw ] || mount -o remount,bind,ro "$root"
[ "$access" = rw ] || mount -o remount,ro "$root/usr"
exec chroot "$root" "$@"
`;

export class Container {
  readonly name: string;
  /** Lines that it has printed so far. */
  readonly log: string[] = [];
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #as: readonly string[];
  #pid = 0;
  #killed = false;

  private constructor(name: string, child: ChildProcess, as: readonly string[]) {
    this.name = name;
    this.#child = child;
    this.#as = as;
    // What holds the namespaces ends with a code of its own when its child is killed.
    this.ended = once(child, 'close').then(([code, signal]) =>
      this.#killed ? { code: null, signal: 'SIGKILL' } : { code, signal },
    );
  }

  /** Resolves once its process runs. */
  static async start(options: ContainerOptions): Promise<Container> {
    const { name, image, folder, env, user, group, groups } = options;
    const programs = join(folder, 'programs');
    await mkdir(join(programs, 'bin'), { recursive: true });
    for (const [file, text] of Object.entries(image.scripts)) {
      await writeFile(join(programs, 'bin', file), text, { mode: 0o755 });
    }
    const table = [
      ...image.inside.map(({ source, path }) => `ro ${source} ${path}`),
      `ro ${options.hosts} /etc/hosts`,
      ...options.mounts.map(({ source, path, readOnly }) => `${readOnly ? 'ro' : 'rw'} ${source} ${path}`),
    ];
    await writeFile(join(folder, 'mounts'), `${table.join('\n')}\n`);
    await mkdir(join(folder, 'root'), { recursive: true });
    const variables = Object.entries({ ...image.env, ...env }).map(([key, value]) => `${key}=${value}`);
    const as = [
      'setpriv',
      ...['--reuid', String(user), '--regid', String(group)],
      ...(groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]),
      ...['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
      ...['env', '-i', '--chdir=/', ...variables],
    ];
    const command = options.command ?? image.entrypoint;
    // Arguments of the image belong to its entrypoint.
    const args = options.args ?? (options.command === undefined ? image.command : []);
    const child = spawn(
      'nsenter',
      [
        ...[`--net=${options.network}`, '--', 'unshare', '--mount', '--pid', '--ipc', '--uts', '--fork'],
        ...['--kill-child', 'sh', '-euc', ROOT, 'sh', join(folder, 'root'), programs, join(folder, 'mounts')],
        ...[options.readOnlyRoot ? 'ro' : 'rw', ...as, ...command, ...args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const container = new Container(name, child, as);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => container.log.push(line));
    }
    await Promise.race([container.#started(), container.ended]);
    return container;
  }

  /** Its first process, as this machine numbers it; 0 before it is there. */
  get pid(): number {
    return this.#pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal to its first process, which may handle it or, being the first, not hear of it. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.#pid, signal);
  }

  /** Ends all of its processes at once: the kernel does it when the first of a namespace ends. */
  async kill(): Promise<void> {
    this.#killed = true;
    if (this.running && this.#pid !== 0) process.kill(this.#pid, 'SIGKILL');
    else this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Runs a command in it, as its user. @returns its exit code, and what it has printed. */
  async exec(
    command: readonly string[],
    timeout: number,
  ): Promise<{ readonly code: number; readonly output: string }> {
    // What runs in there is no child of nsenter's that would end with it.
    const limited = ['timeout', '--signal=KILL', String(timeout / 1_000), ...command];
    const { exitCode, all } = await execa(
      'nsenter',
      ['--target', String(this.#pid), '--all', '--root', '--', ...this.#as, ...limited],
      { reject: false, all: true },
    );
    return { code: exitCode ?? -1, output: all };
  }

  async #started(): Promise<void> {
    const { pid } = this.#child;
    while (this.running) {
      const [first] = childrenOf(pid ?? 0);
      // Until then it makes its root folder, and is not to be told anything.
      if (first !== undefined && !/^(sh|mount|chroot|setpriv|env)$/.test(nameOf(first))) {
        this.#pid = first;
        return;
      }
      await sleep(10);
    }
  }
}

/** Removes what a container that has ended leaves. */
export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

const nameOf = (pid: number): string => read(`/proc/${pid}/comm`).trim();

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended while we looked.
    return '';
  }
}
