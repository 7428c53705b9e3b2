//! What never leaves the machine, held in a network namespace of its own whose only way out counts
//! the packets that pass.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Command, Stdio};

use secondpass_mock::Kind;
use support::hosted::table;
use support::{EMBEDDED, Home, succeeds, system_of};

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
        match value {
            Some(value) => counted.env(name, value),
            None => counted.env_remove(name),
        };
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

/// Runs the program, named by `$0`, beside a server that imitates one of the user's own.
const BESIDE_A_SERVER: &str = r#"
"$0" mock-provider --kind tei --port 8080 > address &
server=$!
until [ -s address ]; do sleep 0.05; done
"$0" eval --config small.toml --out out
code=$?
kill -INT $server
wait $server
exit $code
"#;

fn home(tables: &str) -> Home {
    let home = Home::new();
    home.set(4, 20);
    home.config("kind = \"bm25\"\ndepth = 5", tables);
    home.config_key("residency = [\"self-hosted\"]");
    home
}

#[test]
fn a_self_hosted_experiment_sends_nothing_out() {
    let home = home(EMBEDDED);
    let args = ["eval", "--config", "small.toml", "--out", "out"];
    let Some(packets) = packets(&mut home.command(&args)) else { return };
    assert_eq!(packets, 0);
    assert!(home.json("out/record.json")["systems"].as_array().unwrap().len() > 2);
}

/// Texts go to the user's own server, and to nobody else.
#[test]
fn a_server_of_ones_own_is_reached_without_going_out() {
    let server = table(Kind::Tei, "http://127.0.0.1:8080");
    let home = home(&(server + EMBEDDED));
    let mut command = home.other("sh");
    command.args(["-c", BESIDE_A_SERVER, env!("CARGO_BIN_EXE_secondpass")]);
    let Some(packets) = packets(&mut command) else { return };
    assert_eq!(packets, 0);
    let record = home.json("out/record.json");
    let server = system_of(&record, "tei");
    assert_eq!(
        (&server["origin"], &server["destination"]["self_hosted"]),
        (&"mock".into(), &true.into())
    );
    assert_eq!(server["failures"].as_object().unwrap().len(), 0);
}

/// The counter above counts: a program that calls someone is seen.
#[test]
fn what_goes_out_is_counted() {
    let home = home(EMBEDDED);
    let mut caller = Command::new("sh");
    caller.args(["-c", "timeout 1 bash -c ': > /dev/tcp/10.1.2.3/80'; true"]);
    caller.current_dir(home.path("."));
    let Some(packets) = packets(&mut caller) else { return };
    assert!(packets > 0);
}
