"""Getting data in."""

from kit import family

FAMILIES = [
    family(
        "data-import",
        "Import {object} from {source}",
        [
            "[{Object} can be brought into Ledgerly from {source}.|Bring your {object} over from {source} with the import assistant.]",
            "Open Settings > Import and choose {object}.",
            "@object",
            "@source",
            "[A preview shows the first twenty records before anything is saved.|Nothing is saved until you press Confirm.|You get a summary by email at the end.]",
        ],
        object="""
            customers / clients / contacts / customer base :: Each record needs a name and a country; the email is used to find customers that exist already.
            products / items / catalogue / articles :: Each record needs an item code and a unit price; a tax class that is missing is set to the standard rate.
            open-invoices = open invoices / unpaid invoices / outstanding bills :: Each record needs the old number, the due date and the amount still owed; paid documents are refused, as they would distort the reports.
            subscriptions / recurring contracts / memberships :: Each record needs a customer, a price plan and the next renewal date, from which Ledgerly takes over the billing.
        """,
        source="""
            csv = a CSV file / csv / comma separated file :: Upload the CSV, say which separator it uses, and drag each column onto a field; unknown columns can be skipped.
            excel = an Excel file / xlsx / a spreadsheet :: Upload the workbook and pick the sheet; hidden rows are read too, and formulas are taken as their last value.
            old-system = another billing tool / our previous billing software / the old system we come from :: Press Connect, sign in to the other tool and let Ledgerly copy the records, which takes about a minute for each thousand.
            api = the API / a script / our own program :: Send batches of up to 500 records to the bulk endpoint; the answer lists each record as created, matched or refused.
        """,
        asks="""
            import {object} from {source}
            how do i get my {object} into ledgerly from {source}
            upload {object}, i have {source}
            moving {object} over with {source}
            {source} import of {object}
            want to load {object} using {source}
            can {object} be imported from {source}
            we have all {object} in {source}, how to bring them in
            migrate {object} - {source}
            bulk add {object} through {source}
            where do i start when {object} should come from {source}
            {object} {source} import steps
        """,
    ),
    family(
        "import-mode",
        "Import {object}: {mode}",
        [
            "[What happens to {object} that exist already is decided by the import mode.|Before an import of {object} starts, Ledgerly asks for a mode.]",
            "@object",
            "@mode",
            "[The mode is set for one import and asked for again next time.|The preview marks each record with what will happen to it.|You can change the mode until you press Confirm.]",
        ],
        object="""
            customers / clients / contacts :: Customers are recognised by their email or, where there is none, by the customer number in the second column.
            products / items / catalogue articles :: Products are recognised by their item code, in which capital and small letters count as equal.
            prices / price list / price entries :: Prices are recognised by item code, currency and quantity step, so one product may have several lines.
            tax-numbers = tax numbers / VAT IDs / tax ids :: Tax numbers are recognised by the customer they belong to and are checked with the registry as they come in.
        """,
        mode="""
            add-only = only add new ones / add new records only / just the new ones, leave existing alone :: With Add only, records that are found stay exactly as they are, and the file's version of them is left aside; only unknown {object} are created.
            update-only = only update existing ones / update records that exist, create nothing / change existing ones without adding new :: With Update only, the filled cells of the file replace the values of {object} that are found; records not found are listed and never created.
            both = add new and update existing / upsert / create and overwrite together :: With Add and update, unknown {object} are created, and those found take the values of the file; empty cells change nothing.
            replace = replace everything / wipe and load again / delete what is not in the file :: With Replace all, {object} missing from the file are archived after a second confirmation; only an owner sees this mode.
        """,
        asks="""
            import {object}, {mode}
            {object} import should {mode}
            how to import {object} so that it will {mode}
            i upload {object} and want {mode}
            which import mode for {object}: {mode}
            {mode} when importing {object}
            need to {mode} - it is about {object}
            importing {object} again but {mode}
            setting for {object} upload to {mode}
            can the import of {object} do this: {mode}
            {object} file, {mode}, which option
            we load {object} each week and want it to {mode}
        """,
    ),
    family(
        "import-error",
        "Import error {code}",
        [
            "[An import row marked {code} was not saved, while the other rows were.|The code {code} stands in the last column of the import log.|{code} is shown beside each row of an import that was refused.]",
            "@code",
            "[Download the refused rows, correct them and upload just those.|Correct the rows in the log itself and press Retry.]",
            "[Rows that went through are not imported twice.|The log is kept for ninety days under Settings > Import > Log.]",
        ],
        code="""
            imp-101 = IMP-101 / IMP-101 missing column / required column IMP-101 :: A column that is required has no heading in the file or was left unmapped. Map it in step two or add it with the name from the sample file.
            imp-102 = IMP-102 / IMP-102 date format / bad date IMP-102 :: A date could not be read. Use 2024-05-31 or choose the day-month-year order in step two; two-digit years are refused.
            imp-103 = IMP-103 / IMP-103 decimal comma / amount not a number IMP-103 :: An amount is no number. Remove currency signs and say whether the file uses a decimal comma or a decimal point.
            imp-110 = IMP-110 / IMP-110 duplicate / twice in file IMP-110 :: The same key stands in the file twice. Keep one of the two rows, as Ledgerly will not guess which is newer.
            imp-115 = IMP-115 / IMP-115 unknown customer / customer not found IMP-115 :: The row refers to a customer who does not exist. Import the customers first, then the documents that belong to them.
            imp-120 = IMP-120 / IMP-120 currency / unknown currency IMP-120 :: The currency is not one that your company has switched on. Add it under Settings > Currencies or convert the amount.
            imp-131 = IMP-131 / IMP-131 encoding / strange characters IMP-131 :: The file is not UTF-8, so accents came out broken. Save it again as CSV UTF-8 from your spreadsheet program.
            imp-140 = IMP-140 / IMP-140 too many rows / file too long IMP-140 :: The file has more than 50,000 rows. Split it into parts and upload them one after the other, in any order.
            imp-144 = IMP-144 / IMP-144 vat id invalid / tax number refused IMP-144 :: The registry does not know the tax number. Check the country letters in front and leave out blanks and dots.
            imp-150 = IMP-150 / IMP-150 email invalid / address wrong IMP-150 :: The email address has no valid form, often because two were put into one cell. Keep the first and move the other to the second column.
            imp-162 = IMP-162 / IMP-162 closed period / booked month IMP-162 :: The document falls in a month that has been closed. A bookkeeper can reopen the month, or you date the document later.
            imp-170 = IMP-170 / IMP-170 locked record / record in use IMP-170 :: Another user was editing the record at that moment. Wait until they have saved, then press Retry on the row.
            imp-188 = IMP-188 / IMP-188 plan limit / no room in plan IMP-188 :: Your plan has no room for more records of this kind. Archive some that you no longer need or move to a larger plan.
        """,
        asks="""
            {code}
            import says {code}
            rows refused with {code}
            what is {code} in import log
            fix for {code} pls
            upload stops {code}
            {code} in my csv
            half of the rows have {code}
            meaning of {code} during import
            how do i get rid of {code}
            import log shows {code} what should i change
            spreadsheet import error {code}
        """,
    ),
    family(
        "import-undo",
        "Undo an import of {object} {moment}",
        [
            "[An import of {object} can be taken back in part or in full, depending on when you notice.|If the wrong file of {object} was loaded, act according to the moment.]",
            "@moment",
            "@object",
            "[Undoing is written to the audit log with your name.|Only owners and admins see the Undo button.]",
        ],
        object="""
            customers / clients / contacts :: Customers who have received a document meanwhile are kept and listed, as a document must not lose its receiver.
            products / items / articles :: Products that stand on an order meanwhile are kept and marked as discontinued in place of being removed.
            payments / payment records / bank entries :: Payments are unmatched from their invoices first, so these invoices become open again and reminders may start.
            subscriptions / recurring contracts / memberships :: Subscriptions that have been billed once meanwhile are kept and must be cancelled by hand, one by one.
        """,
        moment="""
            while-running = while it is still running / during the upload / import not finished yet / in the middle of it :: While the bar still moves, press Stop; rows saved up to then remain, and a second button removes them.
            same-day = within 24 hours / right after it finished / the same day / a few hours later :: During the first 24 hours, open Settings > Import > Log and press Undo import; every record goes back to its state from before.
            later = after more than 24 hours / days later / last week already / when the undo button is gone :: Once 24 hours have passed there is no Undo; filter the list by the import number and archive the records in bulk, values overwritten by it cannot come back.
        """,
        asks="""
            undo import of {object} {moment}
            wrong {object} file imported, {moment}, how to revert
            can i take back an import of {object} {moment}
            {moment}: roll back {object} import
            imported {object} by mistake and notice it {moment}
            remove imported {object} {moment}
            stop or reverse {object} import {moment}
            revert {object} upload {moment}
            i loaded bad {object}, is there a way back {moment}
            cancel the import of {object} - {moment}
            {object} import was wrong. undo {moment}
            get rid of imported {object} {moment}
        """,
    ),
]
