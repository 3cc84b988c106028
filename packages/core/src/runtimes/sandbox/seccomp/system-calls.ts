/**
 * Numbers of the system calls that the filter names, from the kernel's tables (x86 `unistd_64.h`, `asm-generic/unistd.h`).
 * Null where an architecture does not have the call. From 424 on both use the same numbers.
 */
export type FilteredArchitecture = 'x64' | 'arm64'

/** Refused whatever their arguments: a step needs none of them, and each is a door out or a kernel's weak spot. */
export const refusedCalls: Readonly<Record<string, readonly [x64: number | null, arm64: number | null]>> = {
  _sysctl: [156, null],
  acct: [163, 89],
  add_key: [248, 217],
  adjtimex: [159, 171],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_adjtime: [305, 266],
  clock_settime: [227, 112],
  create_module: [174, null],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  get_kernel_syms: [177, null],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioperm: [173, null],
  iopl: [172, null],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  lsm_set_self_attr: [460, 460],
  migrate_pages: [256, 238],
  modify_ldt: [154, null],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  move_pages: [279, 239],
  nfsservctl: [180, 42],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  query_module: [178, null],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  request_key: [249, 218],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  swapoff: [168, 225],
  swapon: [167, 224],
  sysfs: [139, null],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  uselib: [134, null],
  userfaultfd: [323, 282],
  ustat: [136, null],
  vhangup: [153, 58],
  vserver: [236, null],
}

export type JudgedCall =
  | 'chmod'
  | 'clone'
  | 'clone3'
  | 'connect'
  | 'creat'
  | 'fchmod'
  | 'fchmodat'
  | 'fchmodat2'
  | 'ioctl'
  | 'mknod'
  | 'mknodat'
  | 'open'
  | 'openat'
  | 'openat2'
  | 'personality'
  | 'socket'

/** Judged by their arguments. */
export const judgedCalls: Readonly<Record<JudgedCall, readonly [x64: number | null, arm64: number | null]>> = {
  chmod: [90, null],
  clone: [56, 220],
  clone3: [435, 435],
  connect: [42, 203],
  creat: [85, null],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  ioctl: [16, 29],
  mknod: [133, null],
  mknodat: [259, 33],
  open: [2, null],
  openat: [257, 56],
  openat2: [437, 437],
  personality: [135, 92],
  socket: [41, 198],
}
