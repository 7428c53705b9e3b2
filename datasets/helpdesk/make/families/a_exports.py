"""Getting data out: exports and report files."""

from kit import family

FAMILIES = [
    family(
        "data-export",
        "Export {object} to {format}",
        [
            "[To get your {object} out of Ledgerly as {format}, open the list and press Export.|You can download {object} as {format} from the list view.|Ledgerly writes {object} to {format} from the Export button of the list.]",
            "@object",
            "[Choose {format} as the file type.|In the dialog, pick {format}.]",
            "@format",
            "[The file is kept for seven days under Files > Exports.|A link to the file is also sent to your email.|The export appears under Files > Exports when it is ready.]",
        ],
        object="""
            invoices / bills / billing documents :: Go to Billing > Invoices; only issued invoices are written, drafts are left out, and each row carries the number, due date and open amount.
            orders / purchases / sales orders :: Go to Sales > Orders; cancelled orders are marked in their own column, and each row carries the order number, channel and shipping status.
            customers / client list / contacts :: Go to Directory > Customers; archived customers are left out unless you tick Include archived, and each row carries the name, address and tax number.
            products / item catalogue / articles we sell :: Go to Catalogue > Products; each row carries the item code, unit and list price, and variants follow their parent product.
        """,
        format="""
            csv = CSV / comma separated file / a .csv / csv file :: The separator is a comma, text is UTF-8, and the first line holds the column names; decimals use a point.
            excel = Excel / xlsx / spreadsheet / an excel sheet :: The .xlsx workbook has one sheet with frozen headings, real dates and real numbers, and it holds at most one million rows.
            pdf = PDF / pdf file / printable document :: The pages are laid out in landscape for printing, with your logo at the top, and the numbers cannot be edited afterwards.
            json = JSON / json file / machine readable json :: The file holds one object for every record with nested lines, named as in the API, so that programs can read it.
        """,
        asks="""
            how do i export {object} as {format}
            need my {object} in a {format}
            {format} download of {object}
            where can i get all {object} as {format}
            can ledgerly give me {format} for our {object}
            export {object} {format}
            my boss wants the {object} in {format}, where is the button
            download every one of our {object}, has to be {format}
            i want to save {object} into {format}
            is there {format} for the {object} list
            {object} to {format}
            getting {object} out of ledgerly in {format} form
            pull {object} out, {format} only
        """,
    ),
    family(
        "scheduled-export",
        "Schedule a {frequency} export to {destination}",
        [
            "[Ledgerly can run an export on a {frequency} schedule and deliver it to {destination}.|A {frequency} export that goes to {destination} needs no hands once it is set up.]",
            "Open Files > Schedules and press New schedule.",
            "@frequency",
            "@destination",
            "[A failed run is tried once more after thirty minutes.|The last ten runs are listed below the schedule.|Pause the schedule with the switch at the top.]",
        ],
        frequency="""
            hourly / every hour / each hour :: Pick Hourly; the run starts ten minutes past the full hour and holds only the records changed since the run before it.
            daily / every day / each night / once a day :: Pick Daily and set a time of day; the run covers the day before, from midnight to midnight in the time zone of the company.
            weekly / every week / every monday / once a week :: Pick Weekly and tick the weekday; the run covers the seven days that ended on the evening before.
            monthly / every month / at month end / once a month :: Pick Monthly; the run starts on the first day at 04:00 and covers the whole calendar month before it.
        """,
        destination="""
            email = email / an email address / our inbox / someone's mailbox :: Enter up to five addresses; files above 20 MB are sent as a link that works for three days.
            sftp = SFTP / our sftp server / secure ftp / an ftp server over ssh :: Enter the host, port, user and folder; upload the public key shown there to your server, as passwords are not accepted.
            bucket = a cloud bucket / S3 storage / object storage / our bucket in the cloud :: Enter the bucket name and region and grant write access to the Ledgerly account shown; old files are never deleted from the bucket.
            drive = a shared drive folder / team drive / our shared folder :: Connect the drive account once, then pick the folder; a file with the same name is replaced by the new one.
        """,
        asks="""
            send an export {frequency} to {destination}
            how to set up {frequency} export to {destination}
            automatic export {frequency} into {destination}
            i want our data delivered {frequency} to {destination}
            schedule export {destination} {frequency}
            can ledgerly push files to {destination} {frequency}
            {frequency} file drop on {destination}
            is it possible that the export runs {frequency} and lands in {destination}
            export job, {frequency}, target is {destination}
            our finance people need a {destination} delivery {frequency}
            put the export on {destination} {frequency} without anyone clicking
            recurring export {frequency} - {destination}
        """,
    ),
    family(
        "export-detail",
        "Export {object} {detail}",
        [
            "[The export of {object} has a Contents panel that decides how much is written.|What an export of {object} holds is set in its Contents panel.]",
            "@object",
            "To export {object} {detail}, do the following.",
            "@detail",
            "[The choice is remembered for the next export.|Every user has an own setting.|The setting does not change documents already exported.]",
        ],
        object="""
            invoices / bills / our invoices :: It is opened from Billing > Invoices > Export > Contents, and the file then starts with the invoice number and issue date.
            orders / purchases / sales orders :: It is opened from Sales > Orders > Export > Contents, and the file then starts with the order number and the sales channel.
            credit-notes = credit notes / credit memos / credits we issued :: It is opened from Billing > Credit notes > Export > Contents, and the file then starts with the number of the corrected document.
            quotes / offers / estimates / quotations :: It is opened from Sales > Quotes > Export > Contents, and the file then starts with the quote number and the date until which it is valid.
        """,
        detail="""
            with-lines = with line items / including line items / with every position / with each line :: Tick Line items; every position becomes its own row below the document, with quantity, unit price and tax rate, so the file grows longer.
            without-lines = without line items / no line items / one row each / no positions, just one row per document :: Clear Line items; each document is a single row with its net, tax and gross sums, and no position is written at all.
            with-files = with attachments / including attached files / with the attached files / plus the attachments :: Tick Attachments; the download becomes a ZIP archive with a folder for each document that holds the files pinned to it.
            without-contacts = without personal data / no names or addresses / anonymised / no personal data :: Tick Hide contact details; names, addresses and emails are replaced by the customer number, so the file can be handed to outsiders.
        """,
        asks="""
            export {object} {detail}
            how can i get {object} {detail}
            i need an export of {object} {detail}
            {object} file {detail}
            download {object} but {detail}
            is there a setting to have {object} exported {detail}
            our auditor wants {object} {detail}
            exporting {object}: {detail} how
            {detail} - the {object} export
            want the {object} download {detail} this time
            where do i choose that {object} come out {detail}
            {object} export should be {detail}
        """,
    ),
    family(
        "export-row-limit",
        "Row limit of {object} exports on the {plan} plan",
        [
            "[One export file can only hold so many rows, and the limit hangs on the plan.|Exports are limited in rows, so that large accounts do not slow others down.]",
            "@cell",
            "@object",
            "@plan",
            "[Narrow the date range to stay below the limit.|When the limit is reached, the file ends and its last line says so.]",
        ],
        cells="""
            invoices, starter :: On Starter, an export of invoices stops at 2,000 rows.
            invoices, growth :: On Growth, an export of invoices stops at 25,000 rows.
            invoices, business :: On Business, an export of invoices stops at 150,000 rows.
            invoices, enterprise :: On Enterprise, an export of invoices has no row limit.
            customers, starter :: On Starter, an export of customers stops at 1,000 rows.
            customers, growth :: On Growth, an export of customers stops at 10,000 rows.
            customers, business :: On Business, an export of customers stops at 80,000 rows.
            customers, enterprise :: On Enterprise, an export of customers stops at 500,000 rows.
            payments, starter :: On Starter, an export of payments stops at 3,000 rows.
            payments, growth :: On Growth, an export of payments stops at 40,000 rows.
            payments, business :: On Business, an export of payments stops at 200,000 rows.
            payments, enterprise :: On Enterprise, an export of payments has no row limit, but is split into files of 250,000 rows.
        """,
        object="""
            invoices / bills / billing documents :: An invoice counts as one row when exported without line items and as one row for each position otherwise.
            customers / contacts / clients :: A customer counts as one row, and each further delivery address adds another row to the count.
            payments / incoming money / payment records :: A payment that settles several documents counts once for each document it was matched to.
        """,
        plan="""
            starter = Starter / starter plan / the small plan / the free starter tier :: Starter accounts can run three exports a day, and a second file for the remaining rows counts as another export.
            growth = Growth / growth plan / the growth subscription :: Growth accounts can run twenty exports a day and may split by month with the Split switch.
            business = Business / business plan / the business tier :: Business accounts can run a hundred exports a day, two of them at the same time.
            enterprise = Enterprise / enterprise plan / the enterprise contract :: Enterprise accounts run exports on their own queue, which your account manager can widen on request.
        """,
        asks="""
            max rows for {object} export on {plan}
            how many {object} can i export with {plan}
            export of {object} cut off, we are on {plan}
            {plan} row limit {object}
            we have {plan}, what is the limit when exporting {object}
            is the {object} export limited on {plan}
            {object} export stops early {plan}
            limit of lines in a file of {object} for {plan} customers
            on {plan}: biggest possible {object} file
            not all {object} are in the file, is this because of {plan}
            what does {plan} allow for exporting {object}
            export limits {plan} {object}
        """,
    ),
    family(
        "export-error",
        "Export fails with {code}",
        [
            "[When an export ends with the code {code}, the file was not written.|The code {code} on the Exports page means that the run was stopped.|An export that shows {code} produced no file.]",
            "@code",
            "[Afterwards, press Run again on the Exports page.|Then start the export again; nothing is billed for the failed run.|The failed run stays listed for thirty days.]",
            "[If {code} comes back, send the run number to support.|Support can see the details of the run from its number.]",
        ],
        code="""
            e-export-timeout = E_EXPORT_TIMEOUT / E_EXPORT_TIMEOUT took too long / timeout E_EXPORT_TIMEOUT :: The run took longer than fifteen minutes. Shorten the date range, clear the line items, or let it run at night as a scheduled export, where an hour is allowed.
            e-export-empty = E_EXPORT_EMPTY / E_EXPORT_EMPTY no rows / nothing found E_EXPORT_EMPTY :: The filter matched no record at all. Check the date range and the status filter above the list, and remember that drafts are left out of exports.
            e-export-rights = E_EXPORT_RIGHTS / E_EXPORT_RIGHTS not allowed / forbidden E_EXPORT_RIGHTS :: Your role may look at these records but may not take them out. An owner can tick Export in the role under Settings > Roles.
            e-export-size = E_EXPORT_SIZE / E_EXPORT_SIZE file too big / too large E_EXPORT_SIZE :: The finished file would be larger than 2 GB. Leave out the attachments or split the export by month with the Split switch.
            e-export-quota = E_EXPORT_QUOTA / E_EXPORT_QUOTA daily quota / too many exports E_EXPORT_QUOTA :: The number of exports that your plan allows a day has been used up. The counter returns to zero at midnight UTC, or you move to a larger plan.
            e-export-locale = E_EXPORT_LOCALE / E_EXPORT_LOCALE characters / wrong encoding E_EXPORT_LOCALE :: A name holds characters that the chosen encoding cannot write. Switch the encoding from Latin-1 to UTF-8 in the dialog, which can hold every script.
            e-export-sftp = E_EXPORT_SFTP / E_EXPORT_SFTP server refused / upload failed E_EXPORT_SFTP :: Your SFTP server refused the file. Check that the key of Ledgerly is still installed there and that the folder may be written to.
            e-export-bucket = E_EXPORT_BUCKET / E_EXPORT_BUCKET access denied / bucket problem E_EXPORT_BUCKET :: The cloud bucket denied writing. Renew the grant for the Ledgerly account and make sure that the region entered is the one of the bucket.
            e-export-mail = E_EXPORT_MAIL / E_EXPORT_MAIL bounced / mail came back E_EXPORT_MAIL :: The message with the file bounced. Correct the address in the schedule, or ask your mail team to let exports@ledgerly.example through.
            e-export-template = E_EXPORT_TEMPLATE / E_EXPORT_TEMPLATE missing column / broken template E_EXPORT_TEMPLATE :: The template names a custom field that was deleted since. Open Files > Templates, remove the column marked red and save the template.
            e-export-locked = E_EXPORT_LOCKED / E_EXPORT_LOCKED another run / already running E_EXPORT_LOCKED :: Another export of the same list is still at work. Wait until it has finished, or press Stop beside it, which throws its half-written file away.
            e-export-period = E_EXPORT_PERIOD / E_EXPORT_PERIOD dates / date range E_EXPORT_PERIOD :: The start of the range lies behind its end, or the range spans more than ten years. Set both dates anew and keep within ten years.
        """,
        asks="""
            {code}
            export fails {code}
            what does {code} mean
            getting {code} when exporting
            how to fix {code}
            my export stopped and says {code}
            error {code} in the exports page
            {code} why
            no file, only {code}
            download did not work: {code}
            keep seeing {code} for our export, what now
            scheduled run ended with {code}
        """,
    ),
    family(
        "report-file",
        "Save the {report} as {format}",
        [
            "[Every report can be saved as a file, and so can the {report}.|The {report} can leave Ledgerly as a file for people without an account.]",
            "@report",
            "To save the {report} as {format}, press Save as at the top right.",
            "@format",
            "[Filters set on screen also hold for the file.|The file shows the date and the user who saved it.]",
        ],
        report="""
            sales = sales report / revenue report / turnover report :: It lies under Reports > Sales and adds up what was invoiced, net of credit notes, grouped by month and product.
            aging = aging report / overdue report / open items list / receivables list :: It lies under Reports > Receivables and sorts the open amounts by how many days they are past due, in steps of thirty.
            tax = tax report / VAT report / sales tax summary :: It lies under Reports > Tax and lists the tax collected by rate and country for the period of the return.
            churn = churn report / cancellation report / lost subscribers report :: It lies under Reports > Subscriptions and counts the subscriptions that ended in the month, with the reason given.
            cashflow = cash flow report / money in and out report / liquidity report :: It lies under Reports > Cash and sets the payments received against refunds and payouts, week by week.
        """,
        format="""
            pdf = PDF / pdf file / printable pdf :: Choose PDF; charts are kept as drawn, the pages are A4 or Letter as your company profile says, and figures cannot be changed.
            excel = Excel / xlsx / spreadsheet :: Choose Excel; each table gets a sheet of its own with the sums as live formulas, while the charts are left out.
            csv = CSV / comma separated file / plain csv :: Choose CSV; only the first table is written, unformatted and without sums, one line for each row of the screen.
        """,
        asks="""
            {report} as {format}
            save {report} to {format}
            how do i get the {report} in {format}
            {format} of the {report} please
            can i download the {report} as {format}
            my accountant asks for the {report}, {format} preferred
            where is the {format} button in the {report}
            export {report} {format}
            need {format} version of our {report}
            i look for the {report} and want it as {format}
            turn the {report} into {format}
            {report} - is {format} possible
        """,
    ),
]
