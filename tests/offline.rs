//! What never leaves the machine, held in a network namespace of its own whose only way out counts
//! the packets that pass.

mod support;

use std::process::{Command, Stdio};

use support::{EMBEDDED, Home, succeeds};

/// Runs `$@` with a way out to everywhere behind which nobody answers, then prints how many packets
/// went there.
const COUNTED: &str = r#"
set -e
ip link set lo up
ip link add out0 type veth peer name out1
ip link set out0 addrgenmode none
ip link set out1 addrgenmode none
ip addr add 10.9.8.7/24 dev out0
ip link set out0 up
ip link set out1 up
ip route add default dev out0
sent() { sed -n 's/^ *out0: *//p' /proc/net/dev | awk '{ print $10 }'; }
before=$(sent)
"$@" >&2 || exit 3
echo "packets $(($(sent) - before))"
"#;

/// Packets that a command sends out of the machine; `None` where there are no such namespaces.
fn packets(command: &mut Command) -> Option<u64> {
    let mut counted = Command::new("unshare");
    counted.args(["--map-root-user", "--net", "sh", "-c", COUNTED, "sh"]);
    counted.arg(command.get_program()).args(command.get_args());
    counted.current_dir(command.get_current_dir()?);
    for (name, value) in command.get_envs() {
        counted.env(name, value?);
    }
    let can = Command::new("unshare")
        .args(["--map-root-user", "--net", "ip", "link", "add", "out0", "type", "veth"])
        .args(["peer", "name", "out1"])
        .stderr(Stdio::null())
        .status();
    if !can.is_ok_and(|status| status.success()) {
        println!("skipped: no network namespaces here");
        return None;
    }
    let output = counted.stdin(Stdio::null()).output().unwrap();
    let told = succeeds(&output);
    Some(told.trim().strip_prefix("packets ").unwrap().parse().unwrap())
}

fn home() -> Home {
    let home = Home::new();
    home.set(4, 20);
    home.config("kind = \"bm25\"\ndepth = 5", EMBEDDED);
    let config = home.read("small.toml");
    home.write("small.toml", format!("residency = [\"self-hosted\"]\n{config}"));
    home
}

#[test]
fn a_self_hosted_experiment_sends_nothing_out() {
    let home = home();
    let args = ["eval", "--config", "small.toml", "--out", "out"];
    let Some(packets) = packets(&mut home.command(&args)) else { return };
    assert_eq!(packets, 0);
    assert!(home.json("out/record.json")["systems"].as_array().unwrap().len() > 2);
}

/// The counter above counts: a program that calls someone is seen.
#[test]
fn what_goes_out_is_counted() {
    let home = home();
    let mut caller = Command::new("sh");
    caller.args(["-c", "timeout 1 bash -c ': > /dev/tcp/10.1.2.3/80'; true"]);
    caller.current_dir(home.path("."));
    let Some(packets) = packets(&mut caller) else { return };
    assert!(packets > 0);
}
