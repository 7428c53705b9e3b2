use proptest::prelude::*;
use secondpass_core::{Candidate, Document, Job, Origin, Query, Ranking, Reranked, Timings};

use super::*;

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(JOURNAL_FOLDER).join(segment::name(number))
}

fn call<'a>(key: &[u8], query: &'a QueryId) -> Call<'a> {
    Call {
        key: ContentHash::of(key),
        system: "mini",
        pass: "",
        query,
        billed: true,
        most_units: Some(3),
    }
}

/// An answer of two candidates with these scores.
fn scored(scores: [f64; 2]) -> Answer {
    let candidate = |rank: usize| Candidate {
        document: Document {
            id: rank.to_string().into(),
            title: String::new(),
            text: String::new(),
        },
        score: 0.0,
        rank,
    };
    let ids = ["1", "2"].map(secondpass_core::DocId::from);
    let query = Query { id: "q".into(), text: String::new(), attributes: BTreeMap::new() };
    let reranked = Reranked {
        ranking: Ranking::from_scores(ids.into_iter().zip(scores)).unwrap(),
        usage: Usage::default(),
        timings: Timings::default(),
        truncation: None,
        origin: Origin::Live,
    };
    Answer::new(&Job { query, candidates: vec![candidate(1), candidate(2)] }, &reranked).unwrap()
}

fn answer() -> Answer {
    let query = Query { id: "q".into(), text: "why".to_owned(), attributes: BTreeMap::new() };
    let usage = Usage::free(1, 2);
    let timings = Timings::default();
    let ranking = Ranking::default();
    let reranked = Reranked { ranking, usage, timings, truncation: None, origin: Origin::Live };
    Answer::new(&Job { query, candidates: Vec::new() }, &reranked).unwrap()
}

#[test]
fn segments_merge_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two): (QueryId, QueryId) = ("1".into(), "2".into());
    {
        let journal = Journal::open(folder.path(), "x", false).unwrap();
        journal.begin(&call(b"1", &one), None).unwrap();
        journal.answered(&call(b"1", &one), &answer(), Some(0.25), None).unwrap();
        journal.begin(&call(b"2", &two), Some(0.5)).unwrap();
    }
    {
        let journal = Journal::open(folder.path(), "x", false).unwrap();
        assert_eq!((journal.finished(), journal.damaged()), (1, 0));
        let expected = InFlight {
            system: "mini".to_owned(),
            pass: String::new(),
            query: two.clone(),
            upper_bound: Some(0.5),
            most_units: Some(3),
        };
        assert_eq!(journal.in_flight(), [expected]);
        let usage = Usage::free(0, 7);
        journal.failed(&call(b"2", &two), "busy", usage, None).unwrap();
    }
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    // What was lost was lost, whatever became of the query since.
    assert_eq!((journal.finished(), journal.in_flight().len()), (1, 1));
    let key = |bytes| ContentHash::of(bytes);
    let kept = journal.take(&key(b"1")).unwrap();
    assert_eq!(kept.answer, Some((answer(), Some(0.25))));
    assert_eq!(journal.take(&key(b"1")), None);
    let failed = journal.take(&key(b"2")).unwrap();
    assert_eq!((failed.answer, failed.spent.tokens), (None, 7));
    drop(journal);
    let journal = Journal::open(folder.path(), "x", true).unwrap();
    assert_eq!(journal.finished(), 0);
    assert_eq!(segment::list(&folder.path().join(JOURNAL_FOLDER)).unwrap().len(), 1);
}

#[test]
fn what_was_spent_is_known_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let query: QueryId = "q".into();
    let billed =
        |units| Billed { calls: 1, estimated: units, reported: units, ..Billed::default() };
    let usage = |units| Usage { billed: billed(units), ..Usage::default() };
    let mut live = answer();
    live.usage = usage(3);
    let recorded = Origin::Replay { recorded: "2026-02-03T04:05:06Z".to_owned() };
    let mut replayed = live.clone();
    replayed.origin = recorded;
    {
        let journal = Journal::open(folder.path(), "x", false).unwrap();
        journal.answered(&call(b"1", &query), &live, None, Some(0.75)).unwrap();
        journal.answered(&call(b"2", &query), &replayed, None, None).unwrap();
        journal.failed(&call(b"3", &query), "busy", usage(1), Some(0.25)).unwrap();
        journal.failed(&call(b"3", &query), "busy", usage(2), None).unwrap();
        let free = Call { system: "free", billed: false, ..call(b"4", &query) };
        journal.answered(&free, &answer(), None, None).unwrap();
    }
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    let mut all = billed(3);
    all += billed(1);
    all += billed(2);
    let expected = Earlier { billed: all, usd: 1.0, unpriced: billed(2) };
    assert_eq!(journal.earlier(), &BTreeMap::from([("mini".to_owned(), expected)]));
}

#[test]
fn lines_from_before_there_were_bills_are_read() {
    let text = serde_json::to_value(Line::Done(Box::new(Done {
        key: ContentHash::of(b"1"),
        seconds: Some(0.5),
        outcome: Outcome::Answer(answer()),
        system: None,
        usd: None,
    })))
    .unwrap();
    let done = text["done"].as_object().unwrap();
    assert!(done.len() == 3 && !done.contains_key("system") && !done.contains_key("usd"));
    let Ok(Line::Done(read)) = serde_json::from_value(text) else { panic!("a line") };
    assert_eq!((read.seconds, read.system, read.usd), (Some(0.5), None, None));
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    let error = Journal::open(folder.path(), "x", true).unwrap_err();
    assert!(matches!(error, JournalError::Busy { .. }), "{error}");
    assert!(error.to_string().starts_with("another process is running an experiment in '"));
    journal.remove().unwrap();
    assert!(!folder.path().join(JOURNAL_FOLDER).exists());
    Journal::open(folder.path(), "x", false).unwrap();
}

#[test]
fn a_start_that_sent_nothing_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join(JOURNAL_FOLDER);
    drop(Journal::open(folder.path(), "x", false).unwrap());
    assert!(!journal.exists());
    assert_eq!(owner(folder.path()).unwrap(), Owner::Nobody);

    let opened = Journal::open(folder.path(), "x", false).unwrap();
    opened.begin(&call(b"a", &"q1".into()), None).unwrap();
    drop(opened);
    // What earlier starts left stays.
    drop(Journal::open(folder.path(), "x", false).unwrap());
    assert!(path(folder.path(), 1).exists() && !path(folder.path(), 2).exists());
    assert_eq!(Journal::open(folder.path(), "x", false).unwrap().in_flight().len(), 1);
}

#[test]
fn the_folder_is_the_experiments_own() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(owner(folder.path()).unwrap(), Owner::Nobody);
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    journal.begin(&call(b"a", &"q1".into()), None).unwrap();
    drop(journal);
    assert_eq!(owner(folder.path()).unwrap(), Owner::Experiment("x".to_owned()));
    let error = Journal::open(folder.path(), "y", false).unwrap_err().to_string();
    assert!(error.contains("unfinished run of another experiment, 'x'"), "{error}");
    fs::write(folder.path().join("report.md"), "half a report").unwrap();
    crate::store::claim(folder.path(), "x").unwrap();
    let error = crate::store::claim(folder.path(), "y").unwrap_err().to_string();
    assert!(error.contains("output folder of another experiment, 'x'"), "{error}");
    fs::write(folder.path().join(JOURNAL_FOLDER).join("diary.txt"), "dear").unwrap();
    assert_eq!(owner(folder.path()).unwrap(), Owner::Stranger);
    assert!(crate::store::claim(folder.path(), "x").is_err());
}

#[test]
fn other_formats_are_refused_and_other_machines_lose_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let query: QueryId = "q".into();
    {
        let journal = Journal::open(folder.path(), "x", false).unwrap();
        journal.answered(&call(b"1", &query), &answer(), Some(0.25), None).unwrap();
    }
    let rewrite = |format: u32, machine: &[u8]| {
        let text = fs::read_to_string(path(folder.path(), 1)).unwrap();
        let lines = text.lines().skip(1).map(|line| format!("{line}\n"));
        let header = Line::Header(Header {
            format,
            experiment: "x".to_owned(),
            version: String::new(),
            machine: ContentHash::of(machine),
        });
        let header = checked::line(&serde_json::to_string(&header).unwrap());
        let text: String = std::iter::once(header).chain(lines).collect();
        fs::write(path(folder.path(), 1), text).unwrap();
    };
    rewrite(FORMAT, b"another machine");
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    assert_eq!(journal.take(&ContentHash::of(b"1")).unwrap().answer, Some((answer(), None)));
    drop(journal);
    rewrite(FORMAT + 1, b"");
    let error = Journal::open(folder.path(), "x", false).unwrap_err().to_string();
    assert!(error.contains("has journal format 2, this program reads 1"), "{error}");
    Journal::open(folder.path(), "x", true).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "x", false).unwrap();
    let mode = fs::metadata(path(folder.path(), 1)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(journal);
}

proptest! {
    #[test]
    fn whatever_becomes_of_a_segment_no_answer_is_wrong(
        scores in prop::collection::vec(any::<[u16; 2]>(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let query: QueryId = "q".into();
        let answers: Vec<Answer> =
            scores.iter().map(|pair| scored(pair.map(|score| f64::from(score) / 7.0))).collect();
        {
            let journal = Journal::open(folder.path(), "x", false).unwrap();
            for (place, answer) in answers.iter().enumerate() {
                let call = call(&[place as u8], &query);
                journal.begin(&call, None).unwrap();
                journal.answered(&call, answer, Some(0.5), None).unwrap();
            }
        }
        let mut bytes = fs::read(path(folder.path(), 1)).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(path(folder.path(), 1), bytes).unwrap();
        let journal = Journal::open(folder.path(), "x", false).unwrap();
        for (place, expected) in answers.iter().enumerate() {
            let kept = journal.take(&ContentHash::of(&[place as u8]));
            if let Some((answer, _)) = kept.and_then(|kept| kept.answer) {
                prop_assert_eq!(&answer, expected);
            }
        }
    }
}
