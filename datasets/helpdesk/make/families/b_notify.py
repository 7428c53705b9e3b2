"""Messages that Ledgerly sends: notifications to the team, mail to customers, how it arrives."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "notification-on",
        {
            "event": {
                "paid": V("payment received|customer paid|incoming payment", n="a payment is received",
                    s="The message names payer, amount and invoice; partial payments count as well, card authorisations do not."),
                "overdue": V("invoice overdue|unpaid invoice past its due date|late invoice", n="an invoice becomes overdue",
                    s="The message comes on the morning after the due date, once per invoice, and not again at each reminder."),
                "payout": V("payout failed|bank rejected our payout|failed payout to the bank", n="a payout fails",
                    s="The message holds the bank's reason and the day of the next try, and goes to Owners in every case."),
                "mention": V("mention in a comment|someone tagged me|colleague mentions me", n="you are mentioned in a comment",
                    s="The message quotes the comment; your answer is added below it when you reply from there."),
            },
            "channel": {
                "email": V("email|e-mail|mail to my inbox", n="email", s="Tick the column Email under your avatar > Notifications and choose At once or Daily at 08:00."),
                "slack": V("slack|slack channel|our slack", n="Slack", s="Connect Slack under Settings > Apps, invite the bot with /invite @ledgerly and tick the column Slack under Notifications."),
                "push": V("push notification|phone alert|popup on my phone", n="push", s="Allow notifications for the phone app in its system settings, then tick Push in More > Notifications on each phone."),
                "sms": V("sms|text message|texting", n="SMS", s="Confirm your number under your avatar > Phone and tick the column SMS; 50 texts a month are free, more cost extra."),
            },
        },
        "Get told by {channel.n} when {event.n}",
        [["You can be told by {channel.n} when {event.n}.", "Turn this on to hear by {channel.n} whenever {event.n}."], "{channel.s}", "{event.s}",
         ["Every event and every channel has its own tick, so nothing else is switched on by this.", "The tick belongs to this one event and channel; others stay as they are."]],
        ["{channel} when {event}", "notify me of {event} by {channel}", "how do i turn on {channel} alerts for {event}", "{event} notification via {channel}", "want a message through {channel} for {event}", "{channel} - {event} alert", "can i get {event} news by {channel}",
         "set up {channel} for {event}", "let the team know about {event}, {channel}", "i'd like to hear of {event} on {channel}", "{event}: send to {channel}", "is there {channel} for {event}"],
    ),
    grid(
        "notification-quiet",
        {
            "task": {
                "off": V("turn off|stop|get rid of", n="turn off"),
                "hours": V("set quiet hours for|silence at night|mute on weekends", n="set quiet hours for"),
                "redirect": V("send to a colleague instead|redirect to someone else while on holiday|forward to my deputy", n="redirect to a colleague"),
            },
            "channel": {"email": V("email notifications|notification mails|mails about every event", n="email notifications"), "slack": V("slack messages|ledgerly bot messages in slack|slack notifications", n="Slack messages"), "push": V("push notifications|phone pop-ups|alerts on my phone screen", n="push notifications"), "sms": V("sms alerts|text messages|texts to my number", n="SMS alerts")},
        },
        "{task.n} {channel.n}",
        ["{cell}", ["Other channels go on as before, since {channel.n} have settings of their own.", "This changes {channel.n} only; whatever reaches you another way keeps coming."],
         ["Messages about the security of your account are always sent. The choice is yours alone and does not alter what colleagues get or how they get it.", "Colleagues are not affected by your choice. Security messages, such as a changed password or a new device, cannot be held back."]],
        ["{task} {channel}", "how to {task} {channel}", "i want to {task} {channel}", "{channel}: {task}", "can i {task} the {channel}", "please {task} {channel}", "too many {channel}, how do i {task}", "is it possible to {task} {channel}", "where can i {task} {channel}", "need to {task} my {channel} this week", "{task} all {channel} from ledgerly", "option to {task} {channel}"],
        {
            "off/email": "To turn off email notifications open your avatar > Notifications and press Clear column above Email, or use the link at the foot of any such mail, which stops that one event.",
            "off/slack": "To turn off Slack messages type /ledgerly stop in the channel, which takes effect there alone. Settings > Apps > Slack > Disconnect ends it for the whole workspace.",
            "off/push": "To turn off push notifications open More > Notifications in the phone app and move the uppermost switch to the left; each phone has a switch of its own.",
            "off/sms": "To turn off SMS alerts answer any of them with STOP. To begin again send START from the same phone, or tick the column once more.",
            "hours/email": "Quiet hours for email notifications are set as a digest: choose Daily at 08:00 or Mondays under your avatar > Notifications, and nothing is sent in between.",
            "hours/slack": "Quiet hours for Slack messages follow Slack itself: set Pause notifications there. Ledgerly has no quiet hours for it and keeps posting, and you read everything in the morning.",
            "hours/push": "Quiet hours for push notifications are under More > Notifications > Quiet hours, by weekday. What comes meanwhile is kept and shown as one single line when the hours are over.",
            "hours/sms": "SMS alerts are never sent between 21:00 and 07:00 in your time zone. The hours cannot be changed; only a failed payout breaks them.",
            "redirect/email": "To have email notifications go to a colleague open your avatar > Notifications > Deputy, pick a person and two dates; both of you get a note on the first day.",
            "redirect/slack": "Slack messages cannot be redirected to a person, as they go to a channel. Invite the colleague into that channel and leave it yourself, or have an Admin choose another channel.",
            "redirect/push": "Push notifications cannot be redirected, because they are tied to a phone. Ask the colleague to tick the same events in their own app.",
            "redirect/sms": "To redirect SMS alerts enter the colleague's number under your avatar > Phone > Second number; they must confirm by code, and both phones ring until you remove it.",
        },
    ),
    grid(
        "email-template",
        {
            "template": {
                "invoice": V("invoice email|mail that carries the invoice|invoice cover mail", n="invoice email", s="The invoice email is opened under Settings > Emails > Invoice; it has the PDF attached and a Pay button in the middle."),
                "reminder": V("payment reminder|dunning mail|overdue reminder email", n="payment reminder", s="The payment reminder is opened under Settings > Emails > Reminders, where each of the three levels has a text of its own."),
                "receipt": V("payment receipt|thank you mail after paying|receipt email", n="payment receipt", s="The payment receipt is opened under Settings > Emails > Receipt; it goes out by itself within five minutes of the money."),
                "quote": V("quote email|offer mail|estimate email", n="quote email", s="The quote email is opened under Settings > Emails > Quote and ends with the buttons Accept and Decline."),
            },
            "part": {
                "logo": V("logo|company picture|brand image", n="logo", s="Press the picture at the top and drop a PNG of 600 pixels width at most; SVG files are not shown by mail programs."),
                "subject": V("subject line|mail title|subject", n="subject line", s="Click the first line and write the subject; placeholders such as number and due date are put in with a curly bracket."),
                "sender": V("reply-to address|address customers answer to|reply address", n="reply address", s="Choose the address under Replies go to; only confirmed addresses of your domain are in the list."),
                "language": V("translation|second language version|foreign language text", n="translation", s="Press Add language, pick one of 24 and translate the text; the customer's language decides which version is used."),
            },
        },
        "{part.n} of the {template.n}",
        [["To change the {part.n} of the {template.n}, work in the mail editor.", "The {part.n} of the {template.n} is yours to set in the mail editor."], "{template.s}", "{part.s}",
         ["Press Send me a test before you save. Other mails keep theirs, as nothing is shared between them.", "Save, then send yourself a test; the other mails have settings of their own and do not follow."]],
        ["change the {part} of the {template}", "{template} {part}", "how do i edit the {part} in the {template}", "where is the {part} for the {template}", "want another {part} on our {template}", "{part} in {template}, where", "update {template}: {part}", "wrong {part} in the {template}",
         "set {part} for {template}", "can i customise the {part} of {template}", "add our own {part} to the {template}", "customers see a strange {part} in the {template}"],
    ),
    grid(
        "mail-delivery",
        {
            "problem": {
                "bounced": V("bounced|came back as undeliverable|returned by the server", n="came back"),
                "spam": V("lands in spam|goes to the junk folder|treated as spam", n="lands in spam"),
                "delayed": V("arrives hours late|is delayed|takes ages to arrive", n="arrives late"),
                "double": V("sent twice|customer got it two times|arrived in duplicate", n="was sent twice"),
            },
            "mail": {
                "invoice": V("invoice mail|invoice email|emailed invoice", n="invoice mail"), "reminder": V("reminder mail|payment reminder|overdue reminder", n="reminder mail"), "statement": V("monthly statement|statement of account|account statement mail", n="monthly statement"),
            },
        },
        "The {mail.n} {problem.n}",
        ["{cell}", ["The rules for the {mail.n} differ from those of other mails we send for you.", "What stands here is for the {mail.n}; other mails behave in another way."],
         ["Every mail has a line of its life in the document's History: made, sent, received, opened. Look there before you send anything again.", "Look at History on the document before sending again: it tells when a mail was made, handed over, received and opened."]],
        ["{mail} {problem}", "why is it that the {mail} {problem}", "the {mail} {problem}, what to do", "customer says the {mail} {problem}", "{problem}: {mail}", "our {mail} {problem} since monday", "help, {mail} {problem}", "{mail} to a client {problem}", "how to fix when {mail} {problem}", "{problem} {mail} ledgerly", "each {mail} {problem}", "what does it mean if the {mail} {problem}"],
        {
            "bounced/invoice": "When an invoice mail came back, the invoice is marked with a red envelope and counts as not sent. Correct the address on the customer record and press Send again; the due date does not move.",
            "bounced/reminder": "When a reminder mail came back, the reminder level is not counted and the fee is taken off again. We try the second contact of the customer, if one is entered, the next day.",
            "bounced/statement": "When a monthly statement came back, it is put into the customer's portal and not mailed a second time. Three months in a row switch statements off for that customer.",
            "spam/invoice": "If the invoice mail lands in spam, the PDF attachment is often the reason. Under Settings > Emails > Invoice choose Link instead of attachment and set up your own sender domain.",
            "spam/reminder": "If the reminder mail lands in spam, its words are the likely reason: avoid capitals and the word URGENT in the subject, and use our text of level one as it is.",
            "spam/statement": "If the monthly statement lands in spam, so many leaving on the first of the month is the reason. Tick Spread over three days under Settings > Emails > Statement.",
            "delayed/invoice": "If an invoice mail arrives late, it may be waiting for its PDF: with more than 200 pages it is made at night. The clock sign in the list shows this.",
            "delayed/reminder": "If a reminder mail arrives late, look at Settings > Reminders > Hour: reminders leave at that hour in your customer's time zone and never on Sundays.",
            "delayed/statement": "If a monthly statement arrives late, the month was not closed. Statements leave the night after you press Close month, or on the tenth at the latest.",
            "double/invoice": "If an invoice mail was sent twice, the customer is listed both as contact and in Copy to. Delete one of them on the record under Mail addresses.",
            "double/reminder": "If a reminder mail was sent twice, an automatic one crossed with one by hand. Tick Skip if sent within 3 days under Settings > Reminders.",
            "double/statement": "If a monthly statement was sent twice, two customer records share one mail address. Merge them, or take the tick at Statement away from one.",
        },
    ),
    grid(
        "sender-dns",
        {
            "record": {
                "spf": V("spf record|spf entry|spf", n="SPF", s="The SPF entry is a TXT record at the root with include:mail.ledgerly.example before the last word; only one such record may exist."),
                "dkim": V("dkim key|dkim signature record|dkim", n="DKIM", s="The DKIM key is a CNAME at lg1._domainkey that points to us, so keys can be rolled without you."),
                "dmarc": V("dmarc policy|dmarc record|dmarc", n="DMARC", s="The DMARC policy is a TXT record at _dmarc; begin with p=none and read reports for two weeks."),
                "bounce": V("return-path cname|bounce domain record|custom bounce address", n="return path", s="The return path is a CNAME at bounce that leads undeliverable mail to us, which makes failed sends visible in History."),
            },
            "host": {
                "namewise": V("namewise|namewise dns|domain at namewise", n="Namewise", s="At Namewise open Domains > Zone editor > Add; leave out the domain's own name, as it is appended for you."),
                "hostport": V("hostport|hostport panel|domain hosted with hostport", n="HostPort", s="At HostPort open DNS & Servers > Expert view; names must be typed in full and end with a full stop."),
                "domaindock": V("domaindock|domain dock|registered at domaindock", n="DomainDock", s="At DomainDock open My names > Records; switch the orange relay sign off for this row, or mail checks fail."),
            },
        },
        "{record.n} record at {host.n}",
        [["To send mail from your own domain, put the {record.n} record in at {host.n}.", "Mail from your own domain needs a {record.n} record, here with the domain at {host.n}."], "{record.s}", "{host.s}",
         ["Then press Check under Settings > Emails > Domain; new records take up to a day to be seen. Each of the four records has its own light.", "Settings > Emails > Domain has a light for each of the four records; press Check once the change has spread."]],
        ["{record} at {host}", "how to add {record} with {host}", "{host} {record} for ledgerly", "where do i enter the {record} at {host}", "{record} not verified, {host}", "set up {record} in {host}", "our domain is with {host}, need {record}", "{host}: {record} value", "{record} light stays red ({host})",
         "what do i type for {record} on {host}", "sender domain, {record}, {host}", "help with {record} under {host}"],
    ),
    grid(
        "slack-command",
        {
            "command": {
                "invoice": V("look up an invoice|find an invoice by number|see an invoice status", n="/ledgerly invoice", s="Type the command with the number, and a card shows amount, state and due date, visible to you alone."),
                "approve": V("approve an expense|release an expense|accept an expense claim", n="/ledgerly approve", s="Type the command without anything after it to see what waits for you, with a button for yes and one for no."),
                "balance": V("check a customer's balance|see how much a client owes|show open amount of a customer", n="/ledgerly balance", s="Type the command with part of the customer's name; up to five matches are listed with what they owe."),
                "remind": V("send a payment reminder|nudge a late payer|remind a debtor", n="/ledgerly remind", s="Type the command with the invoice number and confirm; the next reminder level is mailed within a minute."),
            },
            "tool": {
                "slack": V("slack|slack workspace|slack channel", n="Slack", s="In Slack it works in every channel the bot was invited to, and in direct messages with it."),
                "teams": V("microsoft teams|ms teams|teams chat", n="Microsoft Teams", s="In Microsoft Teams write @Ledgerly in place of the slash; an administrator must have allowed the app for your group."),
                "discord": V("discord|discord server|discord chat", n="Discord", s="In Discord it works only for people with the server role Finance, and answers vanish after 15 minutes."),
            },
        },
        "{command.n} in {tool.n}",
        [["With {command.n} you can {command} from {tool.n} without opening the app.", "You can {command} right inside {tool.n}, using {command.n}."], "{command.s}", "{tool.s}",
         ["You need the same right in Ledgerly as for doing it there; link your account first with connect. The other commands are listed by help.", "Your rights in Ledgerly decide whether it is carried out. On first use you are asked to connect your account; help lists the rest."]],
        ["{command} from {tool}", "how to {command} in {tool}", "{tool} command to {command}", "can i {command} within {tool}", "{tool}: {command}", "bot in {tool}, want to {command}", "is there a way to {command} using {tool}", "{command} with the {tool} bot", "what do i type in {tool} to {command}", "{command} without leaving {tool}", "ledgerly bot {tool} {command}", "we live in {tool}, need to {command}"],
    ),
]
