"""What your customers see: the portal, its sign-in, its look and its address."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "portal-permission",
        {
            "action": {
                "pay": V("pay invoices|settle open invoices|pay bills themselves", n="pay invoices", s="Where it is open to them, they choose one or several open invoices and pay by any method you have switched on."),
                "cancel": V("cancel a subscription|end their subscription|stop their plan", n="cancel a subscription", s="Where it is open to them, a Cancel button stands beside the subscription, and the end falls on the last paid day."),
                "address": V("change their billing address|edit their own address|update company address", n="change the billing address", s="Where it is open to them, they edit street, town and tax number; documents already sent keep the old address."),
                "download": V("download old invoices|get pdf copies of past invoices|fetch earlier invoices", n="download old invoices", s="Where it is open to them, they see documents of the last ten years and take several at once as a ZIP."),
            },
            "mode": {
                "allow": V("let customers|allow clients to|enable buyers to", n="allow", s="Choose Allowed: it works at once and nobody in your team has to do anything."),
                "ask": V("approve first when customers|require our ok before customers|be asked before clients", n="ask first", s="Choose Ask us: the wish lands in Inbox > Portal, and nothing happens before someone accepts it there; after 7 days it lapses."),
                "hide": V("prevent customers from being able to|forbid clients to|block buyers who want to", n="hide", s="Choose Hidden: the button is not drawn at all, and a saved address of that page leads to the start."),
            },
        },
        "Portal: {action.n} - {mode.n}",
        [["Whether customers may {action.n} in the portal is set per group of customers.", "In the portal customers may or may not {action.n}, as you decide."], "Open Settings > Portal > Rights and find the row '{action.n}'.", "{mode.s}", "{action.s}",
         ["Each row has its own three-way switch.", "Other rows are not changed."]],
        ["{mode} {action}", "how do i {mode} {action} in the portal", "customer portal: {mode} {action}", "i want to {mode} {action}", "portal setting, {mode} {action}", "can we {mode} {action}", "we'd like to {mode} {action} online", "is it possible to {mode} {action} through the portal", "need to {mode} {action} on the self-service page", "where do i {mode} {action}", "{mode} {action} (portal rights)", "self service, {mode} {action}"],
    ),
    grid(
        "portal-login-problem",
        {
            "method": {"link": V("magic link|email sign-in link|one-click login mail", n="magic link"), "password": V("portal password|password sign-in|typed password", n="password"), "code": V("sms code|text message code|code by text", n="SMS code")},
            "problem": {
                "missing": V("never arrives or was never set|customer did not receive it|not received", n="not received"),
                "expired": V("has expired|is no longer valid|says out of date", n="expired"),
                "wrong": V("opens another company's account|shows the wrong customer|leads to the wrong account", n="opens the wrong account"),
                "blocked": V("refused after too many tries|is blocked|temporarily locked", n="blocked after too many tries"),
            },
        },
        "Portal sign-in by {method.n}: {problem.n}",
        ["{cell}", ["This is about portal sign-in by {method.n}; the other two ways have other limits.", "The limits are those of sign-in by {method.n} and differ for the two other ways."],
         ["Which ways your customers have is set under Settings > Portal > Sign-in. The customer record > Portal shows the last five attempts with their outcome.", "The record of the customer shows the last attempts under Portal, which is the best place to look while they are on the telephone."]],
        ["portal {method} {problem}", "customer's {method} {problem}", "{method} {problem}", "client portal login: {method} {problem}", "the {method} {problem}, what can we do", "why the {method} {problem}", "our customer writes that the {method} {problem}", "portal sign in, {problem}, {method}", "{method} for the customer portal {problem}", "help a buyer whose {method} {problem}", "fix {method} {problem} portal", "{problem} - {method} of the portal"],
        {
            "link/missing": "If the magic link never arrives, the address typed differs from the one on the record, and for privacy we then send nothing. Compare both, or press Send link on the record.",
            "link/expired": "A magic link is good for 20 minutes and one click; mail scanners that open links use it up. Tell the customer to ask for another and choose Confirm by button under Settings > Portal.",
            "link/wrong": "If the magic link opens another company's account, one mail address is on two customer records. A choice of accounts appears once you tick Several accounts per address.",
            "link/blocked": "After 5 magic links within an hour no more is sent to that address until the hour is over. You cannot lift this, and the last link sent still works.",
            "password/missing": "If a customer never got a password, none was made: the portal is by invitation. Press Invite to portal on the record, and they choose their own.",
            "password/expired": "A portal password expires only when you set a number of days under Settings > Portal > Password age. Put 0 there to end it; those expired choose a new one at next sign-in.",
            "password/wrong": "If a password leads to the wrong account, the browser has filled in a sister company's data. Ask them to clear saved passwords for the portal and type the name by hand.",
            "password/blocked": "After 10 wrong passwords the portal account is blocked until the customer opens the link in our mail. Staff can't open it, but may correct a wrong mail address first.",
            "code/missing": "If the SMS code never arrives, the number lacks its country prefix. Write it with + on the record; landlines get a voice call after the second try.",
            "code/expired": "An SMS code is good for 5 minutes, counted from sending. Where networks are slow raise it to 10 under Settings > Portal > Codes, which is the highest value.",
            "code/wrong": "If an SMS code opens the wrong account, the number was moved to another person. Delete it from the old record; one number may belong to one contact only.",
            "code/blocked": "After 3 wrong SMS codes the number is blocked for 24 hours. On the record press Portal > Unblock number to end it at once.",
        },
    ),
    grid(
        "custom-domain",
        {
            "target": {
                "portal": V("customer portal|client portal|self-service portal", n="customer portal", s="For the customer portal use a name such as account.yourfirm.example, pointing to portal.ledgerly.example."),
                "checkout": V("checkout pages|payment page|order page", n="checkout", s="For the checkout use a name such as pay.yourfirm.example, pointing to checkout.ledgerly.example; card forms stay on our side."),
                "documents": V("invoice links|document links in mails|links to invoices", n="document links", s="For document links use a name such as docs.yourfirm.example, pointing to view.ledgerly.example; old links go on working."),
                "forms": V("request forms|quote request form|embedded web forms", n="request forms", s="For request forms use a name such as ask.yourfirm.example, pointing to forms.ledgerly.example."),
            },
            "step": {
                "connect": V("use our own domain for|connect a custom domain to|give our own web address to", n="connect a domain", s="Enter the name under Settings > Domains > Add, make the CNAME at your registrar and press Check; allow up to 24 hours."),
                "certificate": V("ssl certificate pending on the domain of|https warning on our domain for|certificate not issued for", n="certificate pending", s="If Certificate pending lasts over an hour, a CAA record forbids our issuer: add one that names trustmark.example, then press Retry."),
                "remove": V("remove our domain from|go back to the ledgerly address for|disconnect the custom domain of", n="remove a domain", s="Press Remove beside the name under Settings > Domains; visitors are led to the Ledgerly address for 90 days, then the name goes dead."),
            },
        },
        "Own domain for {target.n}: {step.n}",
        ["This page is about your own domain in front of the {target.n}.", "{step.s}", "{target.s}",
         ["Portal, checkout, document links and forms each take one name of their own, and none is shared. Needs the Team plan or above.", "Each of the four places takes its own name, so repeat this where you need more than one. From the Team plan on."]],
        ["{step} {target}", "how to {step} {target}", "{step} the {target}", "need to {step} our {target}", "we want to {step} the {target}", "ledgerly: {step} {target}", "{target} - {step} that", "domain settings, {step} {target}", "what to do to {step} {target}", "help: {step} {target}", "question: {step} the {target}", "{step} my {target} pls advise"],
    ),
    grid(
        "branding",
        {
            "element": {
                "logo": V("logo|company logo|brand picture", n="logo", s="Give a PNG or SVG with a clear background, 2 MB at most; it is scaled to the height of the bar."),
                "colour": V("colours|brand colour|colour scheme", n="colours", s="Give a main and a second colour as hex values; a red sign warns when text on them could not be read."),
                "font": V("font|typeface|lettering", n="font", s="Choose one of 18 fonts or upload a WOFF2 file, for which you confirm that you hold a licence."),
                "footer": V("footer text|text at the bottom|company details at the foot", n="footer text", s="Give up to 400 signs in three columns; register number and bank details may be put in as placeholders."),
            },
            "place": {
                "portal": V("customer portal|client portal|self-service site", n="customer portal", s="It is found under Settings > Portal > Look, and visitors see it after at most five minutes."),
                "pdf": V("pdf documents|printed invoices|pdf layout", n="PDF documents", s="It is found under Settings > Documents > Layout, and only documents issued from then on take it up."),
                "checkout": V("checkout|payment page|order page", n="checkout", s="It is found under Settings > Checkout > Style, with a separate choice for small screens."),
            },
        },
        "{element.n} in the {place.n}",
        [["You set the {element.n} of the {place.n} apart from all other places.", "The {element.n} of the {place.n} has a setting of its own."], "{place.s}", "{element.s}",
         ["Press Preview first, then Publish; with Earlier versions you come back to the last ten. Mails, portal, checkout and PDF do not take from one another.", "Preview shows it with one of your real customers. Nothing is copied to the other places, so repeat it there if all should match."]],
        ["change the {element} in the {place}", "{place} {element}", "how do i set the {element} for the {place}", "want our own {element} on the {place}", "{element} {place}", "where to edit {element} of {place}", "customise {element}, {place}", "the {element} of our {place} is wrong", "upload or set {element} - {place}", "can i have another {element} on the {place}", "{place}: replace the {element}", "make the {place} use our {element}"],
    ),
    grid(
        "payment-link",
        {
            "kind": {
                "single": V("one-time payment link|single use pay link|link for one payment", n="single-use payment link", s="A single-use link belongs to one customer and one amount, and closes when the money is there."),
                "open": V("pay-what-you-want link|open amount link|donation link", n="link with an open amount", s="An open-amount link lets the payer type the sum between a least and a highest value you give."),
                "reusable": V("reusable payment link|link many people can pay with|multi-use pay link", n="reusable payment link", s="A reusable link has a fixed price and may be paid by any number of people, each with a receipt."),
            },
            "task": {
                "create": V("create|make|set up", n="create", single="Open the invoice, press Share > Pay link and copy it.", open="Open Payments > Links > New and choose Amount: open.", reusable="Open Payments > Links > New and choose Amount: fixed, Uses: unlimited."),
                "expire": V("set an expiry date on|limit how long it works for|choose the last valid day of", n="set an expiry for", single="It ends 30 days after the due date; another date is set in the invoice under Share > Ends on.", open="It never ends by itself; put a date into Ends on in the link's page.", reusable="It may end by date or after a number of payments, whichever comes first; both are on the link's page."),
                "qr": V("get a qr code for|print a qr code of|generate a scannable code of", n="make a QR code of", single="Tick QR code under Settings > Documents > Invoice, and it is printed beside the total.", open="Press QR on the link's page for a poster in A5 with your logo, as charities use.", reusable="Press QR on the link's page and choose PNG or a sheet of 24 stickers for shelves."),
                "disable": V("deactivate|switch off|stop payments through", n="switch off", single="Void the invoice or press Share > Close link; who opens it reads that nothing is due.", open="Press Pause on the link's page, and visitors are thanked and sent to your home page.", reusable="Press Archive on the link's page; payments under way are still taken for ten minutes."),
            },
        },
        "{task.n} a {kind.n}",
        [["How to {task.n} a {kind.n}, and what is special about this kind.", "This page tells how to {task.n} a {kind.n} in Ledgerly."], "{cell}", "{kind.s}",
         ["Links of the other two kinds are kept in other lists and behave otherwise. Card, bank debit and wallets work with each of them, if switched on.", "The two other kinds of link follow other rules. All kinds take the payment methods that you have switched on for the checkout."]],
        ["{task} {kind}", "how do i {task} a {kind}", "{kind}: {task}", "want to {task} {kind}", "need to {task} our {kind}", "{task} this {kind} in ledgerly", "is it possible to {task} a {kind}", "where can i {task} {kind}", "please help me {task} {kind}", "payments, {task} {kind}", "we have to {task} the {kind} today", "option to {task} {kind}"],
        {f"{k}/{t}": "{task.%s}" % k for k in ("single", "open", "reusable") for t in ("create", "expire", "qr", "disable")},
    ),
]
