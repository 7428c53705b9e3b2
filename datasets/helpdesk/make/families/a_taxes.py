"""Taxes, and reminders for what is overdue."""

from kit import family

FAMILIES = [
    family(
        "tax-rate",
        "{rate} in {country}",
        [
            "[Ledgerly knows the rates of each country and keeps them up to date.|Rates are kept by our tax team and change on the day the law does.]",
            "@cell",
            "@rate",
            "@country",
            "[Rates of your own can be added under Settings > Tax > Rates.|A change of rate never touches documents already issued.]",
        ],
        cells="""
            germany, standard :: In Germany the standard rate stored is 19 percent.
            germany, reduced :: In Germany the reduced rate stored is 7 percent, for food and books among others.
            germany, zero :: In Germany the zero rate is used for small solar panels.
            france, standard :: In France the standard rate stored is 20 percent.
            france, reduced :: In France there are two reduced rates, 10 and 5.5 percent, and you pick one for each product.
            france, zero :: France has no zero rate at home; choose the rate of 2.1 percent or an exemption.
            uk, standard :: In the United Kingdom the standard rate stored is 20 percent.
            uk, reduced :: In the United Kingdom the reduced rate stored is 5 percent, for home energy among others.
            uk, zero :: In the United Kingdom the zero rate is used for most food, books and clothes of children.
            spain, standard :: In Spain the standard rate stored is 21 percent, and the Canary Islands have a tax of their own.
            spain, reduced :: In Spain the reduced rate stored is 10 percent, with 4 percent for basic goods.
            spain, zero :: In Spain the zero rate is kept for cases that a law names for a time only.
        """,
        country="""
            germany = Germany / a German customer / deutschland / german clients :: For German documents the tax is printed as USt., and the return can be sent from Reports > Tax.
            france = France / a French customer / french clients :: For French documents the tax is printed as TVA, and the SIREN must stand in the footer.
            uk = the United Kingdom / the UK / a British customer / england :: For British documents the tax is printed as VAT, and records are kept as Making Tax Digital asks.
            spain = Spain / a Spanish customer / spanish clients :: For Spanish documents the tax is printed as IVA, and a QR code for the authority is added.
        """,
        rate="""
            standard = Standard tax rate / normal VAT rate / regular rate of tax / full VAT :: The standard rate is taken for every product to which no other tax class was given.
            reduced = Reduced tax rate / lower VAT rate / reduced VAT :: Set the tax class Reduced in the product; a line on the invoice can be switched too, while it is a draft.
            zero = Zero tax rate / 0 percent VAT / zero rated :: Set the tax class Zero in the product; the line is then printed with 0 percent and the reason below the table.
        """,
        asks="""
            {rate} {country}
            {rate} for {country}
            what is the {rate} for {country}
            how do i set the {rate} for {country}
            invoice with {rate}, {country}
            {country}: which {rate} does ledgerly use
            apply the {rate} when billing {country}
            where can i see the {rate} for {country}
            wrong {rate} on documents for {country}
            need {rate} on products sold to {country}
            does ledgerly know the {rate} of {country}
            {country} {rate} setup
        """,
    ),
    family(
        "tax-exempt",
        "No tax because of {reason}, set on {level}",
        [
            "[Sometimes a sale carries no tax, and the document must say why.|Leaving out tax is allowed only with a reason, which is printed on the document.]",
            "@level",
            "@reason",
            "[The tax report lists such sales in a column of their own.|Keep the proof for ten years.|Tax comes back by itself when the reason is removed.]",
        ],
        reason="""
            reverse-charge = reverse charge / EU business buyer / the VAT being owed by a buyer in another EU country :: Pick Reverse charge; a VAT ID checked by the registry is required, and the words Reverse charge are printed.
            charity = a charity / a non-profit organisation / being tax free as a charity :: Pick Charity; upload the certificate, whose last day of validity is watched, and its number is printed.
            export = export outside the EU / shipping to a country outside europe / goods leaving the EU :: Pick Export; the customs number of the shipment is asked for, and without it the month cannot be closed.
            small-business = our small business status / being a small business ourselves / being below the VAT threshold :: Pick Small business; a sentence naming the law is printed, and a warning appears when turnover nears the threshold.
        """,
        level="""
            customer = the customer / one client for good / a customer record :: Open the customer, tab Tax, and switch on Exempt; each later document for that customer follows.
            product = the product / one item only / a product record :: Open the product, tab Tax, and switch on Exempt; other items on the same invoice keep their tax.
            invoice = a single invoice / just this one invoice / one document only :: Open the draft, press Tax in the sum box and choose Exempt; the next invoice carries tax again.
            company = the whole company / all documents / every sale of ours :: Open Settings > Tax and switch on Exempt; this holds for all sales and needs an owner.
        """,
        asks="""
            no tax on {level} because of {reason}
            {reason}: remove VAT for {level}
            how to bill without tax due to {reason}, for {level}
            set {level} as tax exempt, reason {reason}
            zero tax for {level} {reason}
            tax exemption {reason} {level}
            we do not charge VAT because of {reason}, apply it to {level}
            mark {level} exempt from tax ({reason})
            switch off tax on {level} for {reason}
            leave out VAT, {reason}, {level}
            {level} should have no tax since it is {reason}
            where do i enter {reason} for {level}
        """,
    ),
    family(
        "tax-return",
        "{period} return for {authority}",
        [
            "[Ledgerly adds up what a tax return asks for.|The figures for a tax return come from the documents of the period.]",
            "Go to Reports > Tax > Returns.",
            "@authority",
            "@period",
            "[Close the months concerned first, so that nothing changes later.|A return that was filed can be opened as PDF at any time.]",
        ],
        authority="""
            uk = HMRC / UK VAT / making tax digital / the british tax office :: Choose United Kingdom; after you sign in with your Government Gateway account, boxes 1 to 9 are sent straight to HMRC.
            germany = the German Finanzamt / german VAT / Umsatzsteuer voranmeldung / ELSTER :: Choose Germany; the return is sent by ELSTER with the certificate that you upload once under Tax > Certificates.
            oss = the EU One Stop Shop / OSS / sales to consumers in other EU countries :: Choose One Stop Shop; a file by country and rate is made, which you upload at the portal of your own tax office.
            us = US sales tax / state sales tax / american sales tax authorities :: Choose United States; a sheet for each state with state, county and city tax is made, as Ledgerly does not file in the US.
        """,
        period="""
            monthly = Monthly / every month / month by month :: Set the period to Month; it is due around the tenth of the month after, and a reminder comes five days before.
            quarterly = Quarterly / every three months / each quarter :: Set the period to Quarter; three months are added up, and each can still be opened one by one.
            yearly = Yearly / annual / once a year :: Set the period to Year; the sums of all earlier returns are compared, and differences above one unit are marked.
        """,
        asks="""
            {period} return for {authority}
            {authority} {period} filing
            how do i file {authority} {period}
            prepare tax return {authority}, {period}
            {period} {authority} figures
            we report to {authority} {period}, how in ledgerly
            send {period} return to {authority}
            submit to {authority} {period}
            where is the {period} return of {authority}
            change {authority} period to {period}
            {authority}: returns {period}
            does ledgerly support {period} returns for {authority}
        """,
    ),
    family(
        "price-tax-mode",
        "{mode} in {place}",
        [
            "[Prices can be shown with tax in them or before tax.|Whether tax is already in the price is set in more than one place.]",
            "@place",
            "@mode",
            "[The sums on documents are the same up to a cent of rounding.|Switching does not alter prices stored for other places.]",
        ],
        mode="""
            net = Net prices / prices without tax / excluding VAT / tax added on top :: Pick Net; tax is added below the subtotal, which is what business customers expect to see.
            gross = Gross prices / prices with tax included / including VAT / consumer prices with tax in them :: Pick Gross; tax is worked out from within the price and printed as contained, which the law asks for with consumers.
            both = Both prices side by side / net and gross together / with and without VAT at the same time :: Pick Both; two columns appear, the one after tax in bold, and the table needs the wide layout.
        """,
        place="""
            price-list = price lists / the price list / our list of prices :: Open Catalogue > Price lists, choose the list and look for Tax in its head.
            invoice = invoices / bills / billing documents :: Open Settings > Layouts > Invoices and look for Tax in the table of lines.
            portal = the customer portal / self service pages / what clients see when logged in :: Open Settings > Portal > Display and look for Tax below the currency.
            quote = quotes / offers / quotations :: Open Settings > Layouts > Quotes and look for Tax beside the validity.
            api = the API / API responses / what programs get over the API :: Send the header Ledgerly-Tax-Mode with your request, or set the default in the key.
        """,
        asks="""
            {mode} in {place}
            show {mode} in {place}
            how do i get {mode} for {place}
            {place}: {mode}
            switch {place} to {mode}
            we want {mode} on {place}
            can {place} have {mode}
            {place} should use {mode}
            set up {mode} {place}
            where to choose {mode} for {place}
            change {place}, need {mode}
            display of {mode} within {place}
        """,
    ),
    family(
        "dunning-step",
        "{step} by {channel}",
        [
            "[Overdue invoices are chased in steps, each with a time and a way of its own.|Reminders follow a ladder that you set under Billing > Reminders.]",
            "@step",
            "@channel",
            "[The text can differ by language.|A payment that arrives stops the ladder within the hour.|The preview shows who would be reminded tonight.]",
        ],
        step="""
            friendly = Friendly note before the due date / reminder ahead of time / notice before it is due :: The friendly note goes out three days before the due date, charges nothing and can be left out for good payers.
            first = First reminder / reminder level one / the first overdue notice :: The first reminder goes out seven days after the due date, without a fee, and has the invoice attached again.
            second = Second reminder / reminder level two / the second overdue notice with fee :: The second reminder goes out twenty-one days after the due date and adds the reminder fee, five euro unless changed.
            final = Final notice / last warning / final demand before collection :: The final notice goes out thirty-five days after the due date, names a last day and warns that a collector will take over.
        """,
        channel="""
            email / e-mail / mail message :: For email, tick Email in the step; it comes from your own address if the domain has been verified.
            sms = SMS / text message / a text to their phone :: For SMS, tick Text message in the step; 160 characters with a payment link cost 0.07 euro, and a mobile number is needed.
            letter / post / printed letter / paper mail :: For post, tick Letter in the step; it is printed the next working day, and registered mail can be had for 3.60 euro more.
        """,
        asks="""
            {step} by {channel}
            send the {step} as {channel}
            how do i set up the {step} by {channel}
            {channel} for {step}
            want {step} to go out by {channel}
            change {step} to {channel}
            can the {step} be sent by {channel}
            {step} {channel} settings
            use {channel} for our {step}
            is {channel} possible with {step}
            dunning: {step}, {channel}
            when does the {step} via {channel} leave
        """,
    ),
    family(
        "dunning-pause",
        "Pause reminders for {scope} {duration}",
        [
            "[Reminders can rest where a customer is promised more time or a case is in dispute.|You can hold back reminders without touching the due dates.]",
            "@scope",
            "@duration",
            "[A pause sign is shown beside the name.|Late interest goes on unless it is switched off too.|The end of a pause is written to the history.]",
        ],
        scope="""
            invoice = one invoice / a single bill / only this invoice :: Open the invoice and press More > Pause reminders; other invoices of that customer are chased as before.
            customer = one customer / a single client / everything of one customer :: Open the customer, tab Billing, and press Pause reminders; this covers all documents, later ones included.
            group = a group of customers / a customer segment / all clients with a tag :: Open Directory > Groups, choose the group and press Pause reminders; who joins the group later is covered too.
            everyone = everyone / all customers / the whole reminder run :: Open Billing > Reminders and press Stop run; an owner must confirm, and a banner reminds all staff of it.
        """,
        duration="""
            two-weeks = for 14 days / for two weeks / for a fortnight :: Choose 14 days; on the fifteenth day the ladder goes on at the step where it stood.
            date = until a certain date / up to a day i choose / till a promised payment date :: Choose Until date and pick the day; note the promise in the field Reason, so that colleagues know.
            forever = forever / permanently / for good, never remind again :: Choose No end; reminders stay off until someone presses Resume, and the ladder then begins at its first step.
        """,
        asks="""
            pause reminders for {scope} {duration}
            stop dunning {scope} {duration}
            how to hold reminders to {scope} {duration}
            no reminders {duration} for {scope}
            {scope}: suspend dunning {duration}
            please do not remind {scope} {duration}
            turn off overdue notices for {scope} {duration}
            can i exclude {scope} from reminders {duration}
            want reminders off {duration}, {scope}
            dunning stop {scope}, {duration}
            switch off payment reminders {duration} - {scope}
            give more time: {scope} not reminded {duration}
        """,
    ),
    family(
        "late-fee",
        "{kind} for {debtor}",
        [
            "[Ledgerly can add a charge to what is overdue.|Late payers may be charged, within the limits of the law.]",
            "Set it up under Billing > Late fees.",
            "@debtor",
            "@kind",
            "[Fees are shown on the next reminder.|A fee can be waived on the invoice with one click.|Fees carry no tax in most countries.]",
        ],
        kind="""
            fixed = Fixed late fee / flat fee per reminder / a set amount for being late :: Choose Fixed and type the sum, which is added once for each reminder from the second on.
            percent = Percentage late fee / percent of the overdue amount / a share of the invoice as a fee :: Choose Percent; the share of the open sum is added once, on the day after the time of grace.
            interest = Daily interest / interest per day late / interest on arrears :: Choose Interest; it grows by the day on the open sum, without interest on interest, at a yearly rate.
        """,
        debtor="""
            eu-business = businesses in the EU / european companies / B2B customers in europe :: For EU businesses the law allows eight points above the base rate and 40 euro at once, which is the preset.
            consumer = consumers / private persons / B2C customers :: For private persons the preset is lower, five points above the base rate, and a first reminder must be free.
            us = US customers / american clients / customers in the united states :: For the US the limit differs by state; enter what your contract says, and 1.5 percent a month is suggested.
            public = public bodies / government offices / the city administration and authorities :: For public bodies a time of thirty days must have passed, and charges above the legal rate are cut by Ledgerly.
        """,
        asks="""
            {kind} for {debtor}
            charge {kind} to {debtor}
            how do i set {kind} for {debtor}
            {debtor}: {kind}
            can we add {kind} with {debtor}
            late payment {debtor} {kind}
            what is allowed as {kind} for {debtor}
            turn on {kind} - {debtor}
            we want {kind} when {debtor} pay late
            {kind} rules {debtor}
            overdue charge for {debtor}, {kind}
            preset of {kind} for {debtor}
        """,
    ),
    family(
        "charge-retry",
        "Retry of a {interval} charge after {reason}",
        [
            "[When a renewal cannot be collected, Ledgerly tries again on days that promise success.|A failed renewal is not lost; the charge is repeated by a plan.]",
            "@reason",
            "@interval",
            "[The plan can be changed under Subscriptions > Collection.|Access is not cut while charges are still being repeated, unless you say so.]",
        ],
        reason="""
            funds = insufficient funds / not enough money on the account / an empty account :: For missing money the charge is repeated after three, five and seven days, and on the first of the month as a last try.
            expired = an expired card / card out of date / an old card past expiry :: For an old card nothing is repeated until new data arrive; the card networks are asked for the new date each night.
            auth = missing authentication / 3-D Secure not confirmed / customer has to confirm in bank app :: For a missing confirmation a link is mailed at once and after two days; without the customer no try can work.
            technical = a bank outage / technical error at the bank / the issuer being unreachable :: For an outage the charge is repeated every hour for a day, and after that once a day for a week.
        """,
        interval="""
            weekly / week by week / seven day :: As the next renewal of a weekly subscription is close, tries end after six days, and the open sum moves to the next charge.
            monthly / month by month / per month :: For a monthly subscription tries end after twenty-one days; then the subscription is paused and the invoice handed to reminders.
            yearly / annual / once a year :: For a yearly subscription tries go on for forty-five days, and your team gets a task to call the customer.
        """,
        asks="""
            retry {interval} charge after {reason}
            {interval} subscription failed, {reason}, when is it charged again
            how often is a {interval} payment retried for {reason}
            {reason} on {interval} subscription, retries
            retry schedule {interval} {reason}
            what happens with a {interval} renewal after {reason}
            {interval} renewal, {reason}: next attempt
            does ledgerly try again after {reason} for {interval} plans
            card charge {interval} not collected because of {reason}
            {interval} billing and {reason}, how many tries
            days between attempts, {interval}, {reason}
            repeat a {interval} charge - {reason}
        """,
    ),
]
