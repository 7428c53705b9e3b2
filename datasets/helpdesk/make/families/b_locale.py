"""Languages, currencies, time zones and formats."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "language-choice",
        {
            "surface": {
                "app": V("app menus|user interface|screens i work with", n="app menus", s="The language of the app menus is yours alone: set it under your avatar > Profile > Language, and reload."),
                "invoices": V("invoices|printed documents|invoice pdf", n="invoices", s="The language of invoices comes from the customer record > Details > Document language; without one the workspace's counts."),
                "portal": V("customer portal|client portal|portal pages", n="customer portal", s="The language of the customer portal follows the visitor's browser; switch it on under Settings > Portal > Languages."),
                "help": V("help pages|help centre|support articles", n="help pages", s="The language of the help pages is chosen at the foot of each page and kept in a cookie."),
            },
            "language": {
                "german": V("german|deutsch|german language", n="German", s="German uses the formal address throughout, and Swiss spelling comes with the country Switzerland."),
                "french": V("french|français|french language", n="French", s="French exists for France and Canada; decimal commas and a narrow space before signs are set with it."),
                "spanish": V("spanish|español|spanish language", n="Spanish", s="Spanish exists for Spain and Mexico, with other words for invoice and tax number."),
                "japanese": V("japanese|nihongo|japanese language", n="Japanese", s="Japanese puts the family name first and uses the Noto font; text in other fonts would show empty boxes."),
            },
        },
        "{language.n} for the {surface.n}",
        [["You want the {surface.n} to appear in {language.n}.", "How to have the {surface.n} in {language.n}."], "{surface.s}", "Pick {language.n} there.", "{language.s}",
         ["Menus, documents, portal and help are four separate choices, and what people typed themselves is never translated.", "Your own texts, such as item names, are not translated. The other places where a language can be chosen are not changed by it."]],
        ["switch {surface} to {language}", "{surface} in {language}", "how do i get the {surface} in {language}", "{language} {surface}", "can the {surface} be {language}", "change language of the {surface} to {language}", "i need {language} for the {surface}", "{surface}: set {language}", "is {language} available for the {surface}", "make the {surface} show {language}", "our clients speak {language}, what about the {surface}", "want the {surface} translated, {language}"],
    ),
    grid(
        "currency-task",
        {
            "task": {
                "add": V("add as another currency|start invoicing in|bill a client in", n="invoice in", s="Open Settings > Currencies > Add and choose it; from then on it can be picked on each document and as a customer's default."),
                "base": V("change the base currency to|make our main currency|switch the accounting currency to", n="change the base currency to", s="The base currency can be changed only before the first invoice is issued, under Settings > Currencies > Base; later a new workspace is needed."),
                "rate": V("set the exchange rate for|enter my own conversion rate of|fix the rate of", n="set the rate of", s="Under Settings > Currencies > Rates switch from Daily to Fixed and type a rate with up to six decimals; documents already issued keep theirs."),
                "round": V("round totals in|set rounding for|get rid of odd cents in", n="round totals in", s="Under Settings > Currencies > Rounding choose the step and whether it applies to the total or to each line; a line called Rounding is printed."),
            },
            "currency": {
                "eur": V("euro|eur|euros", n="Euro", s="For the Euro daily rates come from the central bank at 16:30, Frankfurt time."),
                "gbp": V("pound|gbp|british pounds", n="British pound", s="For the British pound a bank account with sort code has to be named for payouts."),
                "jpy": V("yen|jpy|japanese yen", n="Japanese yen", s="For the Japanese yen there are no decimals, so tax is cut off and not rounded up."),
                "chf": V("swiss franc|chf|francs from switzerland", n="Swiss franc", s="For the Swiss franc steps of 0.05 are usual, and the QR slip is printed by itself."),
            },
        },
        "{task.n} {currency.n}",
        [["This page shows how to {task.n} {currency.n}.", "You want to {task.n} {currency.n}, and this is the way."], "{task.s}", "{currency.s}",
         ["Other currencies have their own row. Reports are shown in the base currency, with the original amount in grey beside it.", "Each currency is one row with settings of its own; reports convert everything to the base currency at the document's day."]],
        ["{task} {currency}", "how to {task} {currency}", "can i {task} {currency}", "{currency}: {task} that", "we need to {task} {currency}", "want to {task} {currency} in ledgerly", "is it possible to {task} {currency}", "where do i {task} {currency}", "settings to {task} {currency}", "our accountant wants to {task} {currency}", "help me {task} {currency}", "{task} {currency} from next month"],
    ),
    grid(
        "time-zone",
        {
            "subject": {
                "reports": V("reports|report day boundaries|figures per day", n="reports", f="Day and month limits of reports"),
                "reminders": V("reminder sending time|hour when reminders go out|time reminders are mailed", n="reminders", f="The hour at which reminders leave"),
                "audit": V("audit log times|timestamps in the activity log|times shown in the audit trail", n="audit log times", f="Times in the audit log"),
                "due": V("due dates|payment deadline midnight|when an invoice counts as overdue", n="due dates", f="The moment at which a due date has passed"),
            },
            "level": {
                "workspace": V("workspace time zone|time zone of the company|whole account's time zone", n="workspace"),
                "person": V("personal time zone|time zone of one user|own profile time zone", n="personal"),
                "customer": V("customer's time zone|time zone of a client|buyer's local time", n="customer's"),
            },
        },
        "{subject.n} and the {level.n} time zone",
        ["{cell}", ["{subject.f} must not be mixed up with other times in Ledgerly, which may follow another zone.", "Other times in Ledgerly may follow another zone than {subject.n} do."],
         ["Summer time is taken into account from the public tables. After a change of zone nothing in the past is moved, and the old zone is noted in the log.", "The switch to summer time needs no action from you. If you change a zone, past documents keep the moment they were made."]],
        ["{subject} {level}", "do {subject} follow the {level}", "{subject} use wrong zone, want {level}", "set {level} for {subject}", "does the {level} matter for {subject}", "how do {subject} depend on the {level}", "{level} and {subject}", "can {subject} be based on the {level}", "change {subject} to {level}", "{subject}: is it the {level}", "which setting ties {subject} to the {level}", "i want {subject} according to {level}"],
        {
            "reports/workspace": "Day and month limits of reports follow the workspace time zone, set by an Admin under Settings > Workspace > Region. A sale at 23:30 there belongs to that day, wherever you sit.",
            "reports/person": "Reports do not follow your personal time zone, so that all colleagues see equal figures. Tick Show in my time on a report to shift the hours in the chart only; sums stay.",
            "reports/customer": "Reports can be cut by the customer's time zone with Group by > Customer day, which is offered for the sales report and for no other one.",
            "reminders/workspace": "Reminders leave by the workspace time zone only when Use our clock is ticked under Settings > Reminders; then all are sent at 09:00 your time.",
            "reminders/person": "Your personal time zone has no part in reminders, not even in those you send by hand later; the planned hour is shown converted for you in grey.",
            "reminders/customer": "By default reminders leave at 09:00 in the customer's time zone, taken from the country on the record or from Details > Time zone if filled.",
            "audit/workspace": "The audit log is kept in universal time, and its export has a second column in the workspace time zone; on the screen that zone is not used.",
            "audit/person": "On the screen the audit log shows times in your personal time zone from your avatar > Profile. Two people may thus read different hours for one event.",
            "audit/customer": "The audit log never shows the customer's time zone. For acts in the portal the visitor's address gives a hint of where they were.",
            "due/workspace": "A due date passes at midnight in the workspace time zone, and the invoice turns red at that moment; this is the default for all invoices.",
            "due/person": "A due date is a day without an hour and isn't shifted by your personal time zone. Travelling does not make an invoice overdue earlier on your screen.",
            "due/customer": "Tick Grace until customer's midnight under Settings > Invoices to let the due date pass at midnight in the customer's time zone; late fees wait as well.",
        },
    ),
    grid(
        "format-setting",
        {
            "item": {
                "date": V("date format|day month order|how dates are written", n="date format", s="Dates may be written 31/12/2026, 12/31/2026 or 2026-12-31; the last is the one that no reader gets wrong."),
                "decimal": V("decimal separator|comma instead of point in numbers|thousands separator", n="decimal separator", s="Numbers may use a point or a comma for decimals, and a space, point, comma or nothing between thousands."),
                "name": V("order of first and last name|name order|surname first", n="name order", s="Names may be shown as first name then surname or the other way round, with a comma or without."),
                "address": V("address layout|order of street and postcode|postal address format", n="address layout", s="Addresses may be laid out by the post rules of the land or always in the layout of your own."),
            },
            "place": {
                "screen": V("on screen|in the app|in lists and forms", n="on screen", s="On screen it is your own choice: avatar > Profile > Formats, at once and for nobody else."),
                "pdf": V("on pdf documents|on printed invoices|in printed documents", n="on PDF documents", s="On PDF documents it is part of the layout: Settings > Documents > Layout > Formats, for all documents issued later."),
                "csv": V("in csv exports|in exported files|in csv downloads", n="in CSV exports", s="In CSV exports it is asked in the export window behind Options, and the last answer is remembered for each list."),
            },
        },
        "{item.n} {place.n}",
        [["To change the {item.n} {place.n}, look in the place named here.", "The {item.n} {place.n} is set apart from the two other places."], "{place.s}", "{item.s}",
         ["Screens, documents and exported files do not take this from each other. The API always uses its own fixed format.", "Nothing of this changes what the API gives, nor the format in the two other places."]],
        ["change {item} {place}", "{item} {place}", "how do i change the {item} {place}", "wrong {item} {place}", "where to set {item} {place}", "i want a different {item} {place}", "can the {item} be changed {place}", "{place} the {item} is odd", "ledgerly {item} {place}", "adjust {item}, only {place}", "set up {item} {place} for us", "which menu controls the {item} {place}"],
    ),
]
