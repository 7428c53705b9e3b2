"""Files, search, filters, dashboards, shortcuts: finding and seeing things."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "attachment-limit",
        {
            "place": {
                "invoice": V("invoice|bill i send out|invoice attachment", n="invoice", s="Files on an invoice go out with its mail, so the customer's mailbox may refuse what we accept."),
                "expense": V("expense claim|expense|receipt upload for an expense", n="expense", s="Files on an expense are shrunk to 300 dots per inch, and the original is dropped after 30 days."),
                "customer": V("customer record|client file|customer's page", n="customer record", s="Files on a customer record are for your team only and never shown in the portal."),
                "support": V("support request|ticket to ledgerly support|message to your help team", n="support request", s="Files on a support request are deleted 60 days after it was closed and do not count as your storage."),
            },
            "plan": {"starter": V("starter plan|starter|starter tier", n="Starter"), "team": V("team plan|team tier|team subscription", n="the Team plan"), "business": V("business plan|business|business tier", n="Business"), "enterprise": V("enterprise plan|enterprise|enterprise contract", n="Enterprise")},
        },
        "File size limit: {place.n} on {plan.n}",
        ["{cell}", "{place.s}", ["Larger files are refused with the words File too big, and nothing is saved of them; split a PDF or lower its resolution first.", "A file above that is refused before it is uploaded; a smaller scan or two halves of a PDF will pass."],
         ["Invoices, expenses, customer records and support requests have limits of their own, and each plan has others again.", "The limit depends on the plan and on the place, so compare both before you move a file elsewhere."]],
        ["max file size on {place} {plan}", "attachment limit {place}, {plan}", "how big may a file be for a {place} on {plan}", "{plan}: largest attachment for {place}", "upload too large for {place} ({plan})", "how many mb can i attach to a {place} with {plan}", "file size {place} {plan}", "we have {plan}, how many files per {place}", "what is the attachment limit on a {place} under {plan}", "{place} attachments {plan} how large", "can i attach a 20 mb file to a {place} in {plan}", "limit of uploads per {place}, {plan}"],
        {
            "invoice/starter": "On Starter an invoice takes 1 file of up to 2 MB besides its own PDF.",
            "invoice/team": "On the Team plan an invoice takes 5 files of up to 5 MB each.",
            "invoice/business": "On Business an invoice takes 10 files of up to 10 MB each.",
            "invoice/enterprise": "On Enterprise an invoice takes 25 files of up to 25 MB each; above 20 in total a link replaces them in the mail.",
            "expense/starter": "On Starter an expense takes 2 files of up to 4 MB each.",
            "expense/team": "On the Team plan an expense takes 6 files of up to 8 MB each.",
            "expense/business": "On Business an expense takes 12 files of up to 16 MB each.",
            "expense/enterprise": "On Enterprise an expense takes 30 files of up to 40 MB each, among them short videos.",
            "customer/starter": "On Starter nothing can be attached to a customer record; only notes are possible.",
            "customer/team": "On the Team plan a customer record takes 20 files of up to 10 MB each.",
            "customer/business": "On Business a customer record takes 100 files of up to 25 MB each.",
            "customer/enterprise": "On Enterprise a customer record takes any number of files of up to 100 MB each.",
            "support/starter": "On Starter a support request takes 1 screenshot of up to 3 MB.",
            "support/team": "On the Team plan a support request takes 3 files of up to 15 MB each.",
            "support/business": "On Business a support request takes 8 files of up to 30 MB each.",
            "support/enterprise": "On Enterprise a support request takes 20 files of up to 200 MB each, through a private upload page.",
        },
    ),
    grid(
        "file-type",
        {
            "file": {
                "pdf": V("pdf|pdf file|acrobat document", n="PDF"), "heic": V("heic photo|iphone picture format heic|heic image", n="HEIC photo"), "zip": V("zip archive|zip file|zipped folder", n="ZIP archive"), "xml": V("xml invoice|xml e-invoice file|structured e-invoice", n="XML invoice"),
            },
            "place": {
                "expenses": V("expenses|expense upload|receipt inbox", n="expenses"), "invoices": V("outgoing invoices|as attachment to my invoices|the invoices we send", n="outgoing invoices"), "portal": V("customer portal upload|portal upload box|upload field for clients", n="customer portal uploads"),
            },
        },
        "{file.n} in {place.n}",
        ["{cell}", ["The answer is for the kind {file.n} in {place.n}, and the same file may be treated otherwise elsewhere.", "Elsewhere in Ledgerly the kind {file.n} may be treated in another way than in {place.n}."],
         ["Every upload is checked for viruses first, which takes some seconds; a file with a password cannot be checked and is refused in all places.", "We check each upload for viruses before it is shown, and files locked with a password are always refused, whatever their kind."]],
        ["can i upload a {file} to {place}", "{file} {place}", "is {file} accepted: {place}", "{place}: does it take a {file}", "upload {file}, {place}", "{file} refused, {place}", "what happens with a {file} in {place}", "will ledgerly read a {file} - {place}", "do you support {file} for {place}", "trying to add a {file} ({place})", "{place} and {file} files", "how to get a {file} into ledgerly, {place}"],
        {
            "pdf/expenses": "A PDF is accepted in expenses and its first three pages are read for total, date and tax. Several receipts in one file can be cut apart with Split pages.",
            "pdf/invoices": "A PDF may be attached to outgoing invoices and is either sent as a second file or, with Append, joined behind the last page of the invoice.",
            "pdf/portal": "A PDF is accepted in customer portal uploads up to 10 MB, and lands in the Inbox of the person who looks after that customer.",
            "heic/expenses": "A HEIC photo is accepted in expenses and turned into JPEG on the way in; place and camera data in the picture are removed.",
            "heic/invoices": "A HEIC photo cannot be attached to outgoing invoices, because many customers could not open it. Save it as JPEG on the phone first.",
            "heic/portal": "A HEIC photo is accepted in customer portal uploads as it is, and you get it unchanged; your computer may need a viewer for it.",
            "zip/expenses": "A ZIP archive is accepted in expenses and unpacked: each file inside becomes one draft expense, up to 100 at a time, folders being ignored.",
            "zip/invoices": "A ZIP archive may be attached to outgoing invoices on Business and above, but never with programs inside; mail servers of customers may still drop it.",
            "zip/portal": "A ZIP archive is refused in customer portal uploads, since we will not unpack what strangers send. Ask for the single files instead.",
            "xml/expenses": "An XML invoice is accepted in expenses and read completely: all lines, tax rates and bank details are filled in with no reading of pictures.",
            "xml/invoices": "An XML invoice cannot be attached to outgoing invoices by hand. Choose Format > E-invoice on the document, and Ledgerly writes the file itself.",
            "xml/portal": "An XML invoice is accepted in customer portal uploads only from contacts marked as Supplier too; others see the message Kind not allowed.",
        },
    ),
    grid(
        "search-operator",
        {
            "criterion": {
                "amount": V("by amount|by price range|for a certain sum", n="by amount", s="Write amount:250 for the exact sum or amount:200..300 for a range; the sign of the currency is left out."),
                "date": V("by date|within a time span|from a certain month", n="by date", s="Write date:2026-03 for a month or date:2026-03-01..2026-03-15 for a span; words such as lastweek are known too."),
                "text": V("by exact phrase|for exact wording|for words in quotes", n="by exact phrase", s="Write the phrase in double quotes; without quotes each word is looked for by itself and endings are ignored."),
                "exclude": V("leaving out a word|except those with a tag|excluding some term", n="leaving something out", s="Write a minus directly before a word or tag, as in -paid or -tag:test; a lone minus finds nothing."),
            },
            "object": {
                "invoices": V("invoices|bills|billing documents", n="invoices", s="In the invoice list the search covers number, customer, lines and notes, and drafts if Include drafts is ticked."),
                "payments": V("payments|incoming money|transactions", n="payments", s="In the payment list the search covers payer, reference and bank text of the last 24 months."),
                "products": V("products|catalogue items|articles in the price list", n="products", s="In the product list the search covers name, item number and barcode, archived ones included."),
            },
        },
        "Search {object.n} {criterion.n}",
        [["To search {object.n} {criterion.n}, use the field above the list.", "The field above the list lets you search {object.n} {criterion.n}."], "{criterion.s}", "{object.s}",
         ["The round field at the very top of the app looks everywhere and knows none of these signs. Several may be joined by a space, which means and.", "Join several with a space, and all must fit. The global search at the top of the window looks everywhere but does not know these signs."]],
        ["search {object} {criterion}", "find {object} {criterion}", "how to search {object} {criterion}", "{object} {criterion} search", "filter {object} {criterion}", "looking up {object} {criterion}", "can i find {object} {criterion}", "search field, {object}, {criterion}", "i need to find {object} {criterion} quickly", "what do i type to find {object} {criterion}", "list of {object} {criterion}", "search syntax: {object} {criterion}"],
    ),
    grid(
        "saved-filter",
        {
            "task": {
                "save": V("save a filter|store my filter settings|keep a filter for later", n="save a filter", s="Set the filter, press the star sign and give it a name; it appears to the left of the list for you alone."),
                "share": V("share a filter with the team|let colleagues use my filter|publish a filter for everybody", n="share a filter", s="Press the three dots at its name and Share; colleagues see it under Team filters, but only you may edit it."),
                "default": V("make a filter the default|always open with one filter|set a starting filter", n="set a default filter", s="Press the three dots at its name and Open with this; the list then starts so, until you choose None."),
                "delete": V("delete a saved filter|remove an old filter|get rid of a filter", n="delete a filter", s="Press the three dots at its name and Delete; a shared one vanishes for colleagues too, with no way back."),
            },
            "list": {
                "invoices": V("invoices|invoice list|bills", n="invoices", s="The invoice list holds up to 30 filters a person, and All open and Overdue are built in."),
                "customers": V("customers|customer list|clients", n="customers", s="The customer list holds up to 15 filters a person, and tags may be joined by or there."),
                "expenses": V("expenses|expense list|claims", n="expenses", s="The expense list holds up to 10 filters a person, and approvers have one called Waiting for me."),
            },
        },
        "{task.n}: {list.n}",
        [["This is how you {task.n} in the list of {list.n}.", "In the list of {list.n} you can {task.n} as follows."], "{task.s}", "{list.s}",
         ["Filters belong to one list and cannot be carried to another. The columns shown and their order are kept with the filter.", "A filter fits only the list it was made in; its columns and sorting are stored along with it."]],
        ["{task} {list}", "how to {task} in {list}", "{list}: {task}", "i want to {task} for {list}", "can i {task} in the {list}", "{task} on the {list} page", "where do i {task}, {list}", "need to {task} ({list})", "{list} page, {task}", "is there a way to {task} with {list}", "ledgerly {list} {task}", "please show me how to {task} - {list}"],
    ),
    grid(
        "dashboard-widget",
        {
            "widget": {
                "mrr": V("monthly recurring revenue chart|mrr graph|recurring revenue tile", n="recurring revenue", s="The recurring revenue tile counts active subscriptions by month, with yearly ones divided by twelve."),
                "overdue": V("overdue invoices list|tile with late invoices|unpaid list on home", n="overdue invoices", s="The overdue invoices tile lists the ten oldest and sums up the rest in its last line."),
                "cash": V("cash flow forecast|cash flow tile|liquidity chart", n="cash flow forecast", s="The cash flow forecast tile looks 90 days ahead and assumes that each customer pays as late as before."),
                "churn": V("churn rate|lost customers tile|cancellation rate chart", n="churn rate", s="The churn rate tile divides cancelled subscriptions by those at the start of the month, trials left out."),
            },
            "task": {
                "add": V("add to my dashboard|put on the home page|show on the start screen", n="add", s="Press Edit at the top right, then Add tile, and drag it to its place; only your own home page changes."),
                "hide": V("hide from certain colleagues|keep away from some roles|restrict who sees", n="restrict", s="Press the lock on the tile and untick roles; those people see the page without it and no gap."),
                "email": V("email every monday|send as a weekly mail|get by mail regularly", n="send by mail", s="Press the envelope on the tile, choose weekdays and readers; a picture with the numbers below is mailed at 07:00."),
                "period": V("change the time period of|compare with last year|set another date range for", n="change the period of", s="Press the calendar on the tile and choose a span; Compare draws the year before as a thin line."),
            },
        },
        "{task.n}: {widget.n} tile",
        [["This concerns the {widget.n} tile on the home page.", "The tile in question is the one called {widget.n}."], "{task.s}", "{widget.s}",
         ["Other tiles are not changed. Figures are renewed every 15 minutes, the small clock tells when.", "The other tiles stay as they are; the clock in the corner tells when the figures were last renewed."]],
        ["{task} {widget}", "{widget} - {task}", "how do i {task} {widget}", "{task} the {widget}", "can i {task} the {widget}", "dashboard, {task} {widget}", "want to {task} {widget}", "{widget}: i need to {task} it", "is it possible to {task} the {widget}", "home page tiles, {widget}, {task}", "where can i {task} the {widget}", "please {task} our {widget}"],
    ),
    grid(
        "keyboard-shortcut",
        {
            "action": {
                "new-invoice": V("create a new invoice|start an invoice|open a blank invoice", n="new invoice"),
                "search": V("jump to search|open the search box|put the cursor in search", n="search"),
                "send": V("save and send|send the document i am editing|finish and mail it", n="save and send"),
                "duplicate": V("duplicate a line|copy an item line|repeat the current row", n="duplicate a line"),
            },
            "system": {
                "mac": V("mac|macbook|apple keyboard", n="Mac"), "windows": V("windows|windows pc|windows laptop", n="Windows"), "ipad": V("ipad keyboard|ipad with keyboard|magic keyboard on ipad", n="iPad keyboard"),
            },
        },
        "Keyboard shortcut on {system.n}: {action.n}",
        ["{cell}", ["The keys for this command ({action.n}) differ from system to system, and these are the ones for {system.n}.", "Other systems use other keys for this command ({action.n}); the ones here are for {system.n}."],
         ["Press the question mark to see a sheet of all shortcuts. They can be turned off under your avatar > Profile > Keyboard if a screen reader needs the keys.", "A sheet of all shortcuts opens with the question mark. Turn them off under your avatar > Profile > Keyboard, should another program want the same keys."]],
        ["shortcut to {action} on {system}", "{system} keys: {action}", "which keys {action} {system}", "keyboard shortcut {action} {system}", "how do i {action} by keyboard, {system}", "{action} without the mouse on {system}", "hotkey for {system} to {action}", "{system} hotkey {action}", "what do i press to {action} with {system}", "fastest way to {action} on a {system}", "{action} shortcut ({system})", "is there a key combination to {action}, {system}"],
        {
            "new-invoice/mac": "On a Mac press Option and N to create a new invoice. Command and N would open a browser window, so it is not used; it works on every page but the checkout editor.",
            "new-invoice/windows": "On Windows press Alt and I to create a new invoice. With a customer record open, that customer is filled in already, and the cursor stands in the first line.",
            "new-invoice/ipad": "With an iPad keyboard press Command and N to create a new invoice. It works in the app and not in the browser of the iPad.",
            "search/mac": "On a Mac press Command and K to jump to search; a second time sets it to the list you have open instead of everything.",
            "search/windows": "On Windows press the slash key to jump to search. Inside a text field type Control and slash, because there a lone slash is text.",
            "search/ipad": "With an iPad keyboard press Command and F to jump to search, which looks through the list on the left and no further.",
            "send/mac": "On a Mac press Command and Return to save and send the document; a window asks once more unless you tick Never ask.",
            "send/windows": "On Windows press Control, Shift and S to save and send the document. Control and S alone saves without sending.",
            "send/ipad": "With an iPad keyboard no key saves and sends, so that nothing leaves by mistake. Press Command and S to save, then touch Send.",
            "duplicate/mac": "On a Mac press Command and D to duplicate the line with the cursor; the copy is put below and takes text, price and tax along.",
            "duplicate/windows": "On Windows press Control and arrow down in a line to duplicate it. Browsers use Control and D for bookmarks, so that one does nothing here.",
            "duplicate/ipad": "With an iPad keyboard press Option and arrow down to duplicate a line, or drag it with two fingers to put the copy elsewhere.",
        },
    ),
]
