//! Processes for the supervisor: cores and the lock of a run. Control code only, never on the path.

use napi::{Error, Result};
use napi_derive::napi;

/// Cores that `cpu_set_t` can name.
const CORES_MAX: u32 = libc::CPU_SETSIZE as u32;

fn failed(what: &str) -> Error {
    Error::from_reason(format!("PROCESS_IO: {what}: {}", std::io::Error::last_os_error()))
}

/// Cores that a process may run on, ascending; without `pid`, this one.
/// @throws PROCESS_IO
#[napi]
pub fn process_cores(pid: Option<u32>) -> Result<Vec<u32>> {
    // SAFETY: all zeroes is the empty set, a valid `cpu_set_t`.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is ours and as large as the call is told.
    if unsafe { libc::sched_getaffinity(pid.unwrap_or(0) as libc::pid_t, size_of_val(&set), &mut set) } != 0 {
        return Err(failed("the allowed cores cannot be read"));
    }
    // SAFETY: every core asked for is below CORES_MAX, the size of the set.
    Ok((0..CORES_MAX).filter(|&core| unsafe { libc::CPU_ISSET(core as usize, &set) }).collect())
}

/// Pins the main thread of process `pid` to `core`. Threads that it has already started (V8's helpers) keep theirs, so that
/// they do not compete with it.
/// @throws PROCESS_CORE when no machine has such a core, PROCESS_IO when the process or the core is not there
#[napi]
pub fn process_pin(pid: u32, core: u32) -> Result<()> {
    restrict(pid as libc::pid_t, &set_of(&[core])?)
        .map_err(|_| failed(&format!("process {pid} cannot be pinned to core {core}")))
}

/// Keeps all threads of this process, and every process that it starts from now on, to `cores`: the others are left to those
/// that were pinned there.
/// @throws PROCESS_CORE when no machine has such a core, PROCESS_IO when none of the cores is there
#[napi]
pub fn process_keep_to(cores: Vec<u32>) -> Result<()> {
    let set = set_of(&cores)?;
    let threads = std::fs::read_dir("/proc/self/task").map_err(|_| failed("the threads cannot be listed"))?;
    for thread in threads.flatten() {
        let Some(id) = thread.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        match restrict(id, &set) {
            // A thread that ended meanwhile.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            Err(_) => return Err(failed(&format!("this process cannot be kept to the cores {cores:?}"))),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn set_of(cores: &[u32]) -> Result<libc::cpu_set_t> {
    if let Some(core) = cores.iter().find(|&&core| core >= CORES_MAX) {
        return Err(Error::from_reason(format!(
            "PROCESS_CORE: core {core}, accepted is 0 to {}",
            CORES_MAX - 1
        )));
    }
    // SAFETY: all zeroes is the empty set, a valid `cpu_set_t`.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores {
        // SAFETY: `core` is below CORES_MAX, the size of the set.
        unsafe { libc::CPU_SET(core as usize, &mut set) };
    }
    Ok(set)
}

fn restrict(thread: libc::pid_t, set: &libc::cpu_set_t) -> std::io::Result<()> {
    // SAFETY: the call only reads `set`, which is as large as it is told.
    match unsafe { libc::sched_setaffinity(thread, size_of_val(set), set) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Keeps all memory of this process, as it is now, in RAM and mapped, so that no first touch waits for the kernel. False
/// where the system does not allow it (RLIMIT_MEMLOCK).
#[napi]
pub fn process_lock_memory() -> bool {
    // SAFETY: a plain call without pointers.
    unsafe { libc::mlockall(libc::MCL_CURRENT) == 0 }
}

/// Takes the exclusive lock of an open file without waiting; false when another process holds it. The kernel releases it when
/// this process ends, however it ends.
/// @throws PROCESS_IO
#[napi]
pub fn process_lock(descriptor: i32) -> Result<bool> {
    // SAFETY: a plain call; a bad descriptor is an error code.
    if unsafe { libc::flock(descriptor, libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EWOULDBLOCK) => Ok(false),
        _ => Err(failed("the lock cannot be taken")),
    }
}
