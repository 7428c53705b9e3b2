//! What is wrong with a config is told by key, before anything is run.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use support::{EMBEDDED, Home, fails, stderr};

#[test]
fn each_wrong_key_is_named() {
    let home = Home::new();
    home.set(2, 10);
    home.config(
        "kind = \"bm25\"\ndepth = 5\nk1 = 0.9\nb = 0.4\nanalyzer = \"english\"",
        &format!(
            "{EMBEDDED}[statistics]\nalpha = 0.05\n\
             [[expect]]\nsystem = \"mini\"\nmeasure = \"RR\"\nvalue = 0.5\ntolerance = 1.0\n"
        ),
    );
    let good = home.read("small.toml");
    home.eval("good", &["--no-cache"]);
    for (from, to, named) in [
        ("name = \"small\"", "name = \"a/b\"", "'name'"),
        ("name = \"small\"\n", "", "`name`"),
        ("\"nDCG@10\", ", "\"nDCG@x\", ", "'measures'"),
        ("primary = \"nDCG@10\"", "primary = \"AP\"", "'primary'"),
        ("kind = \"beir\"", "kind = \"bier\"", "'dataset.kind'"),
        ("path = \"set\"\n", "", "'dataset.path'"),
        ("split = \"test\"", "part = \"title\"", "'dataset.part'"),
        ("split = \"test\"", "", "'dataset.split'"),
        ("kind = \"bm25\"", "kind = \"bm52\"", "'first_stage.kind'"),
        ("depth = 5", "depth = 0", "'first_stage.depth'"),
        ("depth = 5", "deep = 5", "`deep`"),
        ("k1 = 0.9", "k1 = -1.0", "'first_stage.k1'"),
        ("b = 0.4", "b = 1.5", "'first_stage.b'"),
        ("analyzer = \"english\"", "analyzer = \"klingon\"", "'first_stage.analyzer'"),
        ("analyzer = \"english\"", "pooling = \"cls\"", "'first_stage.pooling'"),
        ("analyzer = \"english\"", "pool = \"some\"", "'first_stage.pool'"),
        ("name = \"mini\"", "name = \"oracle\"", "'reranker 1.name'"),
        ("kind = \"cross-encoder\"", "kind = \"magic\"", "'reranker 1.kind'"),
        ("model = \"embedded\"", "model = \" \"", "'reranker 1.model'"),
        ("[sweep]", "max_length = 0\n[sweep]", "'reranker 1.max_length'"),
        ("[sweep]", "truncation = \"left\"\n[sweep]", "reranker 1.truncation"),
        ("[sweep]", "long_documents = \"fold\"\n[sweep]", "reranker 1.long_documents"),
        ("[sweep]", "device = \"tpu\"\n[sweep]", "reranker 1.device"),
        ("[sweep]", "dtype = \"i8\"\n[sweep]", "reranker 1.dtype"),
        ("depths = []", "depths = [6]", "'sweep.depths'"),
        ("depths = []", "timed_queries = 0", "'sweep.timed_queries'"),
        ("alpha = 0.05", "alpha = 0.5", "'statistics.alpha'"),
        ("alpha = 0.05", "margin = 0.0", "'statistics.margin'"),
        ("alpha = 0.05", "permutations = 0", "'statistics.permutations'"),
        ("system = \"mini\"", "system = \"maxi\"", "'expect 1.system'"),
        ("measure = \"RR\"", "measure = \"P@5\"", "'expect 1.measure'"),
        ("tolerance = 1.0", "tolerance = -1.0", "'expect 1.tolerance'"),
        ("tolerance = 1.0", "tolerance = ", "line "),
    ] {
        assert!(good.contains(from), "{from}");
        home.write("small.toml", good.replacen(from, to, 1));
        let output = home.run(&["eval", "--config", "small.toml", "--out", "out", "--no-cache"]);
        fails(&output, 2, named);
        assert!(stderr(&output).contains("small.toml"), "{}", stderr(&output));
        assert!(!home.path("out").exists(), "{to}");
    }
}

#[test]
fn a_missed_figure_is_an_exit_code_and_a_whole_report() {
    let home = Home::new();
    home.set(5, 10);
    let expect = |value: f64| {
        format!(
            "[[expect]]\nsystem = \"oracle\"\nmeasure = \"RR\"\nvalue = {value:?}\ntolerance = 0.001\n"
        )
    };
    home.config("kind = \"bm25\"\ndepth = 10", &expect(1.0));
    home.eval("out", &[]);
    home.config("kind = \"bm25\"\ndepth = 10", &(expect(1.0) + &expect(0.5)));
    let output = home.run(&["eval", "--config", "small.toml", "--out", "out"]);
    fails(&output, 1, "oracle: RR is 1.0000, expected 0.5 +- 0.001: NOT as expected");
    fails(&output, 1, "1 of 2 expected figures");
    assert!(home.path("out/report.html").is_file());
    assert!(!home.path("out/journal").exists());
}
