"""Other programs: accounting tools, CRMs, shops, storage, and the errors between them."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "accounting-sync",
        {
            "tool": {
                "bookwise": V("bookwise|bookwise accounting|our bookwise ledger", n="Bookwise", s="Bookwise is linked under Settings > Apps > Bookwise with your company code, and takes data every hour."),
                "numera": V("numera|numera pro|numera books", n="Numera", s="Numera is linked under Settings > Apps > Numera by signing in there, and takes data within a minute."),
                "cashtree": V("cashtree|cash tree|cashtree online", n="Cashtree", s="Cashtree is linked under Settings > Apps > Cashtree with an API token, and takes data each night at 01:00."),
                "taxora": V("taxora|taxora desktop|taxora advisor software", n="Taxora", s="Taxora is a desktop program without a link: Ledgerly writes a file under Settings > Apps > Taxora that your adviser reads in."),
            },
            "object": {
                "invoices": V("invoices|sales invoices|issued bills", n="invoices", s="Invoices go over when they are sent, one booking line per tax rate; drafts stay here."),
                "payments": V("payments|incoming payments|money received", n="payments", s="Payments go over with fee and net apart, and are matched there by invoice number."),
                "credit-notes": V("credit notes|credit memos|issued credits", n="credit notes", s="Credit notes go over as negative documents with the number of the invoice they lower."),
                "expenses": V("expenses|employee expenses|supplier bills and receipts", n="expenses", s="Expenses go over after approval with the receipt's picture; the account comes from the category."),
            },
        },
        "Send {object.n} to {tool.n}",
        [["This is how {object.n} get from Ledgerly to {tool.n}.", "You can hand {object.n} over to {tool.n} automatically."], "{tool.s}", "Tick the row {object.n} on the same page.", "{object.s}",
         ["Rows not ticked are not transferred, and each accounting program has a page of its own. The first run goes back to the start of the open year.", "Only ticked rows are carried over, and other programs have pages of their own. Runs and their failures are listed below the ticks."]],
        ["send {object} to {tool}", "how to sync {object} with {tool}", "{tool} {object} sync", "get {object} over to {tool}", "{object} into {tool} automatically", "connect {tool} for {object}", "want {tool} to receive our {object}", "does ledgerly push {object} to {tool}", "{tool} integration, {object}", "transfer {object} - {tool}", "our accountant uses {tool} and needs {object}", "when do {object} show up in {tool}"],
    ),
    grid(
        "crm-link",
        {
            "crm": {
                "pipelight": V("pipelight|pipelight crm|pipe light", n="Pipelight"),
                "relatio": V("relatio|relatio crm|relatio cloud", n="Relatio"),
                "dealnest": V("dealnest|dealnest crm|deal nest", n="DealNest"),
            },
            "task": {
                "connect": V("connect|link up|hook up for the first time", n="connect"),
                "map": V("map fields with|choose which fields go to|match custom fields of", n="map fields with"),
                "duplicates": V("stop duplicate customers from|avoid double contacts coming from|get rid of doubled records by", n="stop duplicates from"),
                "quote": V("turn a won deal into an invoice from|create invoices out of deals in|bill closed deals of", n="bill won deals from"),
            },
        },
        "{task.n} {crm.n}",
        ["{cell}", ["The three CRM links were built with different makers, so what you read here fits {crm.n} alone.", "Only {crm.n} works like this; the links to other CRMs have other switches."],
         ["You need to be Admin here and have the right to install apps there. All is found under Settings > Apps, where a log shows the last 500 records.", "Admins find it under Settings > Apps, with a log of the last 500 records below. Deleting in one system never deletes in the other."]],
        ["{task} {crm}", "how to {task} {crm}", "{crm}: {task}", "i need to {task} {crm}", "can ledgerly {task} {crm}", "want to {task} our {crm}", "{crm} integration, {task} {crm}", "sales uses {crm}, how do we {task} it", "is it possible to {task} {crm}", "please {task} {crm}, how", "{task} the {crm} account", "where is the setting to {task} {crm}"],
        {
            "pipelight/connect": "To connect Pipelight press Add, sign in there in the window and choose one pipeline. Contacts come over at once; companies without a contact person are left out.",
            "pipelight/map": "To map fields with Pipelight drag its fields from the left onto ours at the right. Pick lists are matched by name, and formulas cannot be used.",
            "pipelight/duplicates": "To stop duplicates from Pipelight set Match by to Email. Records without email are put into Review, where you press Same or New for each.",
            "pipelight/quote": "To bill won deals from Pipelight tick Stage Won makes draft. The draft holds the deal's products, and someone must press Send here.",
            "relatio/connect": "To connect Relatio install Ledgerly from its marketplace and paste the six-word phrase it shows under Settings > Apps > Relatio. Both contacts and companies come over within the hour.",
            "relatio/map": "Fields are mapped inside Relatio, not here: open its Setup > Ledgerly > Fields. Up to 40 custom fields are allowed, one way only.",
            "relatio/duplicates": "To stop duplicates from Relatio set Match by to Tax number. Where the number is missing, the name and postcode together decide.",
            "relatio/quote": "To bill won deals from Relatio press Make invoice on the opportunity there. It is sent straight away, without a draft, in the price list's currency.",
            "dealnest/connect": "To connect DealNest create an API key in its profile and paste it under Settings > Apps > DealNest. It asks every 15 minutes; nothing is pushed.",
            "dealnest/map": "DealNest does not let you map fields: name, email, telephone and address are fixed, and everything else lands in the customer's note.",
            "dealnest/duplicates": "To stop duplicates from DealNest import its contact numbers once with the CSV offered there; from then on the number decides, not name or mail.",
            "dealnest/quote": "Deals won in DealNest cannot be billed automatically. Export them as a list and read it in under Invoices > Import, one row per deal.",
        },
    ),
    grid(
        "shop-link",
        {
            "shop": {
                "shopcart": V("shopcart|shopcart store|our shopcart shop", n="Shopcart", s="For Shopcart open Settings > Apps > Shopcart; it calls us at each event, so changes show within seconds."),
                "storelane": V("storelane|storelane shop|store lane", n="Storelane", s="For Storelane open Settings > Apps > Storelane; we ask it every 10 minutes, and a key with read and write rights is needed."),
                "craftmarket": V("craftmarket|craft market seller account|craftmarket marketplace", n="CraftMarket", s="For CraftMarket open Settings > Apps > CraftMarket; as a marketplace it keeps buyers' mail addresses to itself."),
                "own-shop": V("self-hosted shop plugin|ledgerly plugin for own shop|shop plugin on our server", n="the shop plugin", s="For a shop on your own server install our plugin, version 3.2 at least, and enter the workspace name in it."),
            },
            "task": {
                "orders": V("import orders|bring in orders|pull shop orders", n="import orders", s="Tick Orders and choose whether each paid one makes an invoice at once or waits for shipping."),
                "stock": V("sync stock levels|keep inventory equal|update stock quantities", n="sync stock levels", s="Tick Stock and say which side leads; sets and bundles are counted by their parts."),
                "refunds": V("carry refunds over|sync refunds|transfer shop refunds", n="carry refunds over", s="Tick Refunds, and a credit note is made for each with shipping shown apart."),
            },
        },
        "{task.n}: {shop.n}",
        [["This page shows how to {task.n} between Ledgerly and {shop.n}.", "Follow this to {task.n} when you sell with {shop.n}."], "{shop.s}", "{task.s}",
         ["The other ticks on that page may stay off, as each kind of data runs alone. Test orders of the shop are skipped, and VAT is taken from the shop.", "Each kind of data on the page runs by itself and needs its own tick. Tax is taken as the shop has reckoned it; test orders are left out."]],
        ["{task} from {shop}", "how do i {task} with {shop}", "{shop} {task}", "{shop}: {task}", "we sell on {shop} and need to {task}", "{task} between ledgerly and {shop}", "does {shop} {task}", "set up {shop} to {task}", "can i {task} - {shop}", "{shop} integration {task}", "automatically {task} {shop}", "{task} ({shop}) how"],
    ),
    grid(
        "sync-error",
        {
            "code": {
                "lg-4101": V("LG-4101|connected app token expired|sync says please reconnect", n="LG-4101", s="The permission you gave to the other program ran out or was taken back there.", fix="Press Reconnect under Settings > Apps and sign in again as the same person; waiting records follow by themselves."),
                "lg-4102": V("LG-4102|account code unknown in accounting tool|ledger account does not exist on other side", n="LG-4102", s="A category points to an account number that the accounting program does not have.", fix="Open Settings > Apps > Accounts, correct the line in red and press Retry; making the account over there works as well."),
                "lg-4103": V("LG-4103|period is closed in accounting|posting date in a locked month", n="LG-4103", s="The document's date lies in a month that your accountant has closed.", fix="Have the month reopened for a moment, or choose Book in next open month from the row's menu."),
                "lg-4104": V("LG-4104|duplicate document number in sync|invoice number already exists in the other system", n="LG-4104", s="The other program already holds a document with this number, often typed in by hand.", fix="Compare both; then choose Link to existing if it is the same, or change the number range if not."),
                "lg-4105": V("LG-4105|tax code not mapped|vat rate has no counterpart", n="LG-4105", s="A tax rate used here has no counterpart on the other side.", fix="Open Settings > Apps > Taxes and pick one for the rate in red; the retry then takes all documents with that rate."),
                "lg-4106": V("LG-4106|currency not enabled in accounting tool|foreign currency refused by sync", n="LG-4106", s="The document is in a currency that the other program has not switched on.", fix="Add the currency there first, or tick Convert to base currency, which uses the rate of the document's day."),
                "lg-4107": V("LG-4107|other system is rate limiting|sync slowed down, too many requests from us", n="LG-4107", s="The other program asks us to slow down because too many records went over at once.", fix="Do nothing: we wait and go on by ourselves with 60 records a minute. Pressing Retry makes it longer."),
                "lg-4108": V("LG-4108|customer missing required field for sync|customer has no tax number for transfer", n="LG-4108", s="The customer lacks a field that the other program insists on, mostly the tax number or country.", fix="Fill in the field named in brackets on the customer record, and the row goes green with the next run."),
                "lg-4109": V("LG-4109|totals differ by rounding|one cent difference in sync", n="LG-4109", s="Both sides round tax in another way, and the totals differ by a cent or two.", fix="Set Rounding per line under Settings > Apps > Taxes, or tick Book difference up to 0.05."),
                "lg-4110": V("LG-4110|sync connection belongs to a removed user|person who connected the app left", n="LG-4110", s="The person who made the connection was removed from the workspace, and it stopped with them.", fix="Another Admin presses Take over under Settings > Apps; no setting or match is lost by that."),
                "lg-4111": V("LG-4111|attachment too big for the other system|receipt file refused for its size", n="LG-4111", s="The receipt's file is larger than the other program takes.", fix="Tick Send link instead of file, or press Shrink on the row, which makes a picture of 1 MB at most."),
                "lg-4112": V("LG-4112|remote record was deleted|record no longer exists in connected app", n="LG-4112", s="The record was deleted on the other side after it had been transferred.", fix="Choose Create again to send it anew, or Forget to leave it out for good; changes to it are held until you decide."),
            },
        },
        "Sync error {code.n}",
        [["In the sync log of a connected program a row is marked {code.n}.", "A record was not transferred to the connected program, and its row in the sync log says {code.n}."], "{code.s}", "{code.fix}",
         ["Only rows with this code are held back, and all other records keep flowing. Codes from LG-4101 to LG-4112 each have a page.", "Records without an error are not delayed. The neighbouring codes have quite different causes, so read the last digits with care."]],
        ["{code}", "sync error {code}", "what does {code} mean", "integration log shows {code}", "how can i fix {code}", "{code} when syncing to accounting", "row in the sync log says {code}", "transfer failed {code}", "we get {code} for some records", "{code} connected apps", "reason for {code}", "what to do about {code} in the sync"],
    ),
    grid(
        "sync-mode",
        {
            "direction": {
                "out": V("only from ledgerly to the other app|one way outwards|export only", n="outwards only", s="Outwards only means that what changes in the other program never comes back and is overwritten by the next run."),
                "in": V("only from the other app to ledgerly|one way inwards|import only", n="inwards only", s="Inwards only means that fields fed from there are grey here and cannot be edited by hand."),
                "both": V("in both directions|two-way|back and forth", n="both ways", s="Both ways means that the later change wins, and the loser is kept under Conflicts for 30 days."),
            },
            "timing": {
                "live": V("in real time|instantly|live", n="live", s="Live runs follow each change in seconds; they need Business or above."),
                "hourly": V("every hour|hourly|once an hour", n="hourly", s="Hourly runs start at minute 5 and take at most 5,000 records, leaving the rest for the next."),
                "nightly": V("every night|nightly|once a day overnight", n="nightly", s="Nightly runs start at 01:00 in the workspace's time zone and have no limit on records."),
                "manual": V("only when i press a button|manually|by hand", n="by hand", s="Runs by hand start with Sync now and may be narrowed to a span of dates before."),
            },
        },
        "Sync {direction.n}, {timing.n}",
        [["To let a connected program sync {direction.n} and {timing.n}, open Settings > Apps and press the gear sign.", "Under Settings > Apps, behind the gear sign, you can have a connection sync {direction.n} and {timing.n}."], "Set Direction to {direction.n} and Start to {timing.n}.", "{direction.s}", "{timing.s}",
         ["Both menus are separate for each program you have connected.", "The two menus are set for each connected program on its own."]],
        ["sync {direction} {timing}", "how to sync {direction}, {timing}", "data should flow {direction} and {timing}", "{timing} sync {direction}", "can the integration run {timing} {direction}", "set connection to {direction}, {timing}", "want our app link to work {direction}, {timing}", "{direction} / {timing} sync setting", "integration: {timing}, {direction}", "is {direction} sync possible {timing}", "configure {timing} transfer {direction}", "change sync to {timing}, {direction}"],
    ),
    grid(
        "cloud-storage",
        {
            "store": {
                "drivebox": V("drivebox|drivebox folder|our drivebox", n="Drivebox", s="Drivebox is linked by signing in under Settings > Apps > Drivebox; personal and company accounts both work."),
                "cloudshelf": V("cloudshelf|cloud shelf|cloudshelf business", n="Cloudshelf", s="Cloudshelf is linked by its administrator, who enters our app number 88214 and lets it into one folder."),
                "sftp": V("sftp server|our own sftp|ftp over ssh", n="an SFTP server", s="An SFTP server is linked with host, port and user; we show a public key that you put on it, as passwords are not taken."),
                "s3": V("s3 bucket|object storage bucket|bucket storage", n="an S3 bucket", s="An S3 bucket is linked with its name, region and a role that may write; we never ask for the secret of a root account."),
            },
            "content": {
                "pdfs": V("invoice pdfs|pdf copies of invoices|issued invoice documents", n="invoice PDFs", s="Tick Invoice PDFs, and each lands in a folder per year and month, named by number."),
                "receipts": V("expense receipts|photos of receipts|receipt images", n="expense receipts", s="Tick Expense receipts, and each picture is stored after approval, named by date and amount."),
                "exports": V("scheduled exports|automatic csv exports|regular data exports", n="scheduled exports", s="Tick Scheduled exports, and every file replaces the one before unless you add the date field to its name."),
            },
        },
        "Store {content.n} in {store.n}",
        [["You can have {content.n} stored in {store.n} without lifting a finger.", "With this {content.n} are saved to {store.n} by themselves."], "{store.s}", "{content.s}",
         ["What is not ticked is not stored. If the place is full or gone, we try for three days and then write to the Owner.", "Other kinds of files need their own ticks. When storing fails for three days on end, the Owner gets a mail with the reason."]],
        ["save {content} to {store}", "how do i store {content} in {store}", "{content} {store}", "automatic upload of {content} to {store}", "want {content} copied into {store}", "{store} for {content}", "can {content} go to {store}", "archive {content} on {store}", "{store}: put {content} there", "connect {store} so that {content} are kept", "send {content} over to {store} every time", "is {store} supported for {content}"],
    ),
]
