use proptest::prelude::*;

use super::*;
use crate::testing::{record, rows};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_reads_back_and_replaces_its_own_only() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("reports/quickstart");
    write(&folder, &record(), &rows()).unwrap();
    assert_eq!(names(&folder), [TABLE_FILE, RECORD_FILE]);
    assert_eq!(read(&folder).unwrap(), (record(), rows()));

    fs::write(folder.join("notes.txt"), "mine").unwrap();
    let mut later = record();
    later.finished = "2027-01-01T00:00:00Z".to_owned();
    write(&folder, &later, &rows()[..1]).unwrap();
    assert_eq!(read(&folder).unwrap(), (later, rows()[..1].to_vec()));
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &record(), &rows()).unwrap();
    for name in [RECORD_FILE, TABLE_FILE] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn another_experiments_folder_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &record(), &rows()).unwrap();
    let before = fs::read(folder.path().join(RECORD_FILE)).unwrap();
    let mut other = record();
    other.experiment.name = "other".to_owned();
    let message = write(folder.path(), &other, &rows()).unwrap_err().to_string();
    assert!(message.contains("is the output folder of another experiment, 'quickstart'"));
    assert_eq!(fs::read(folder.path().join(RECORD_FILE)).unwrap(), before);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".secondpass-1-record.json"), "left behind").unwrap();
    claim(folder.path(), "quickstart").unwrap();
    fs::write(folder.path().join("thesis.tex"), "text").unwrap();
    let error = write(folder.path(), &record(), &rows()).unwrap_err();
    assert!(error.to_string().contains("'thesis.tex' is in it"), "{error}");
    assert!(!folder.path().join(RECORD_FILE).exists());
}

#[test]
fn a_cut_or_foreign_manifest_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &record(), &rows()).unwrap();
    let path = folder.path().join(RECORD_FILE);
    let whole = fs::read_to_string(&path).unwrap();
    let half = &whole[..whole.len() / 2];
    fs::write(&path, half).unwrap();
    for error in
        [read(folder.path()).unwrap_err(), write(folder.path(), &record(), &rows()).unwrap_err()]
    {
        assert!(error.to_string().contains("is truncated or is not a record"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), half);

    fs::write(&path, whole.replacen("\"schema\": 3", "\"schema\": 0", 1)).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("has schema 0, this program reads {SCHEMA}")), "{error}");
    claim(folder.path(), "quickstart").unwrap();

    fs::write(&path, whole.replacen("\"primary\": \"nDCG@10\"", "\"primary\": \"AP\"", 1)).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the primary measure 'AP' is not measured"), "{error}");
}

#[test]
fn a_table_that_is_not_the_manifests_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &record(), &rows()).unwrap();
    let path = folder.path().join(TABLE_FILE);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::OtherTable { .. }), "{error}");
    fs::remove_file(&path).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains(TABLE_FILE) && error.contains("run the experiment first"), "{error}");
    assert_eq!(read_record(folder.path()).unwrap(), record());
}

#[test]
fn what_the_system_refuses_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = write(&file.join("below"), &record(), &rows()).unwrap_err().to_string();
    assert!(error.starts_with("cannot create '") && error.contains("file/below"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_names_the_path_and_the_way_out() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"bytes");
    let error = failed("write", Path::new("out/record.json"))(full.unwrap_err()).to_string();
    assert!(error.starts_with("cannot write 'out/record.json': "), "{error}");
    assert!(error.ends_with("free some space or choose a folder on another disk"), "{error}");
}

#[test]
fn a_failed_write_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    // A folder in the place of the table: the rename fails after both files were written.
    write(folder.path(), &record(), &rows()).unwrap();
    fs::remove_file(folder.path().join(TABLE_FILE)).unwrap();
    fs::create_dir(folder.path().join(TABLE_FILE)).unwrap();
    assert!(write(folder.path(), &record(), &rows()).is_err());
    assert_eq!(names(folder.path()), [TABLE_FILE, RECORD_FILE]);
}

proptest! {
    #[test]
    fn mutated_files_never_panic(
        of_table in any::<bool>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &record(), &rows()).unwrap();
        let path = folder.path().join(if of_table { TABLE_FILE } else { RECORD_FILE });
        let mut bytes = fs::read(&path).unwrap();
        let place = place.index(bytes.len());
        let unchanged = !cut && bytes[place] == byte;
        bytes[place] = byte;
        bytes.truncate(if cut { place } else { bytes.len() });
        fs::write(&path, bytes).unwrap();
        let result = read(folder.path());
        prop_assert!(unchanged || !of_table || result.is_err());
    }
}
