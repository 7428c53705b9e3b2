"""Webhooks. The family webhook-retries is held out of training."""

from kit import family

FAMILIES = [
    family(
        "webhook-retries",
        "Redelivery of {event} on the {plan} plan",
        [
            "[When your server does not answer with a 2xx status, the delivery of the event is attempted again.|A delivery that was not confirmed by your server is repeated by Ledgerly.]",
            "@cell",
            "@event",
            "@plan",
            "[The waiting time doubles after each attempt.|An endpoint that fails for all attempts is marked red.]",
        ],
        cells="""
            invoice-paid, growth :: On Growth, invoice.paid is attempted 5 times within 6 hours.
            invoice-paid, business :: On Business, invoice.paid is attempted 12 times within 24 hours.
            invoice-paid, enterprise :: On Enterprise, invoice.paid is attempted 20 times within 72 hours.
            order-created, growth :: On Growth, order.created is attempted 3 times within 1 hour.
            order-created, business :: On Business, order.created is attempted 8 times within 12 hours.
            order-created, enterprise :: On Enterprise, order.created is attempted 15 times within 48 hours.
            payment-failed, growth :: On Growth, payment.failed is attempted 6 times within 12 hours.
            payment-failed, business :: On Business, payment.failed is attempted 14 times within 36 hours.
            payment-failed, enterprise :: On Enterprise, payment.failed is attempted 24 times within 96 hours.
            subscription-ended, growth :: On Growth, subscription.ended is attempted 4 times within 3 hours.
            subscription-ended, business :: On Business, subscription.ended is attempted 10 times within 24 hours.
            subscription-ended, enterprise :: On Enterprise, subscription.ended is attempted 18 times within 60 hours.
            refund-created, growth :: On Growth, refund.created is attempted 2 times within 30 minutes.
            refund-created, business :: On Business, refund.created is attempted 6 times within 8 hours.
            refund-created, enterprise :: On Enterprise, refund.created is attempted 12 times within 36 hours.
        """,
        event="""
            invoice-paid = invoice.paid / invoice paid event / paid invoice hook :: As bookkeeping often hangs on invoice.paid, each attempt carries the same event id, so a second one can be dropped.
            order-created = order.created / new order event / order hook :: As goods are shipped upon order.created, an order cancelled meanwhile is no longer sent, and the attempt ends early.
            payment-failed = payment.failed / failed payment event / payment failure hook :: As access may be cut upon payment.failed, a later success of the charge takes the event back from the queue.
            subscription-ended = subscription.ended / subscription end event / cancelled subscription hook :: As licences are locked upon subscription.ended, the attempts go on even if the subscription is started anew.
            refund-created = refund.created / refund event / refund hook :: As refund.created is also found in the payout statement, fewer attempts are made for it than for others.
        """,
        plan="""
            growth = Growth / growth plan / growth subscription :: After the last attempt on Growth the event is dropped and must be fetched through the API.
            business = Business / business plan / business tier :: After the last attempt on Business the event rests for seven days and can be sent again by hand.
            enterprise = Enterprise / enterprise plan / enterprise contract :: After the last attempt on Enterprise the event rests for thirty days and your technical contact is called.
        """,
        asks="""
            {event} retries on {plan}
            how often is {event} retried with {plan}
            {plan} {event} redelivery
            our server was down, is {event} sent again on {plan}
            number of attempts for {event}, {plan}
            {event} not received, retry {plan}
            for how long does {plan} repeat {event}
            missed {event} on {plan}, will it come again
            retry policy {event} {plan}
            repeat delivery of {event} for {plan} accounts
            {event}: attempts on {plan}
            when does ledgerly give up on {event} under {plan}
        """,
        held_out=True,
    ),
    family(
        "webhook-payload",
        "Fields of {event} in webhook {version}",
        [
            "[A webhook carries a JSON body whose shape depends on the version chosen for the endpoint.|What stands in the body of a webhook depends on event and version.]",
            "@event",
            "@version",
            "[Unknown fields should be ignored, as new ones may be added.|An example body can be sent from Developers > Webhooks > Test.]",
        ],
        event="""
            invoice-paid = invoice.paid / the paid invoice event / invoice paid hook :: The event invoice.paid holds the invoice number, the sum, the way of payment and the time at which the money was final.
            customer-updated = customer.updated / the customer change event / customer updated hook :: The event customer.updated holds the customer number and a list of changed fields with their old values.
            order-shipped = order.shipped / the shipping event / order shipped hook :: The event order.shipped holds the order number, the parcels, the carrier and the tracking numbers.
            dispute-opened = dispute.opened / the chargeback event / dispute opened hook :: The event dispute.opened holds the payment, the disputed sum, the reason code of the bank and the deadline.
            export-ready = export.ready / the finished export event / export ready hook :: The event export.ready holds the run number, the row count and a link that works for one hour.
        """,
        version="""
            v1 = version 1 / v1 / the old v1 format :: In version 1 the record itself is not in the body; only its id is, and you fetch the rest through the API. It ends on 30 June 2027.
            v2 = version 2 / v2 / v2 payload :: In version 2 the whole record stands below the key data, sums are decimal numbers and times have no zone.
            v3 = version 3 / v3 / the new v3 format :: In version 3 the record stands below data.object, sums are whole cents with a currency, and times are UTC.
        """,
        asks="""
            {event} payload {version}
            fields of {event} in {version}
            what does {event} contain in webhook {version}
            json body {event} {version}
            {version} webhook {event} structure
            where is the amount or id in {event}, {version}
            schema for {event} with {version}
            we parse {event} and use {version}, which keys are there
            example of {event} for {version}
            how is {event} shaped in {version}
            {event} attributes, webhook {version}
            docs for body of {event} {version}
        """,
    ),
    family(
        "webhook-error",
        "Webhook delivery error {code}",
        [
            "[In the delivery log of a webhook the code {code} stands beside the failed event.|Developers > Webhooks > Log shows {code} when a delivery went wrong.]",
            "@code",
            "[The log keeps the first 4 KB of your server's answer.|Press Send test to see whether the change has helped.]",
            "[Other endpoints are not affected.|Events are kept in the order in which they happened.|A mail is sent to the technical contact once a day.]",
        ],
        code="""
            wh-301 = WH-301 / WH-301 redirect / redirected WH-301 :: Your server answered with a redirect, which Ledgerly does not follow. Enter the final address, with or without www, in the endpoint.
            wh-401 = WH-401 / WH-401 unauthorized / login needed WH-401 :: Your server asked for a login. Put user and password into the endpoint, or let requests with a valid signature pass.
            wh-404 = WH-404 / WH-404 not found / wrong path WH-404 :: There is nothing at the address. Check the path for a missing slash and whether the route accepts POST.
            wh-410 = WH-410 / WH-410 gone / endpoint switched off WH-410 :: Your server said that the address is gone for good, so Ledgerly switched the endpoint off. Switch it on again by hand.
            wh-413 = WH-413 / WH-413 body too large / payload too big WH-413 :: The body was larger than your server takes. Allow at least 1 MB, as orders with many lines are long.
            wh-429 = WH-429 / WH-429 too many requests / throttled WH-429 :: Your server asked for fewer requests. Lower the rate in the endpoint, from fifty down to one event a second.
            wh-500 = WH-500 / WH-500 server error / our server crashed WH-500 :: Your program broke while handling the event. Answer with 200 first and do the work afterwards in a queue.
            wh-504 = WH-504 / WH-504 timeout / no answer in time WH-504 :: No answer came within ten seconds. Answer at once and do slow work, such as printing, later.
            wh-601 = WH-601 / WH-601 certificate / TLS problem WH-601 :: The certificate of your server has expired or its chain is incomplete. Install the intermediate certificate along with your own.
            wh-602 = WH-602 / WH-602 DNS / host unknown WH-602 :: The name of your server could not be resolved. Check the spelling and whether the name is public, not just known in your office.
            wh-603 = WH-603 / WH-603 blocked address / private ip WH-603 :: The address points into a private network. Ledgerly delivers to public addresses only; use a tunnel while developing.
            wh-610 = WH-610 / WH-610 signature rejected / bad signature WH-610 :: Your program rejected the signature. Compute it over the raw body before parsing, with the secret of this endpoint.
        """,
        asks="""
            {code}
            webhook {code}
            what does {code} mean in the delivery log
            hook fails with {code}
            how to fix {code}
            our endpoint shows {code}
            {code} webhooks not arriving
            delivery error {code} since yesterday
            why {code}
            events not delivered, {code}
            getting {code} for each event
            {code} what must i change on my server
        """,
    ),
    family(
        "webhook-security",
        "{task}: {method} for webhooks",
        [
            "[Anyone could post to your address, so check that a webhook really comes from Ledgerly.|Webhooks can be protected in several ways, and {method} is one.]",
            "@method",
            "@task",
            "[Changes take effect within a minute.|Only users with the role Developer see these settings.|Each change is written to the audit log.]",
        ],
        method="""
            signature / HMAC signature / signing secret :: The header Ledgerly-Signature holds a time and an HMAC-SHA256 over time and raw body, made with the secret of the endpoint.
            ip = IP allow list / allowed ip addresses / firewall whitelist :: Webhooks leave from eight fixed addresses, listed at Developers > Webhooks > Network, and new ones are announced thirty days ahead.
            mtls = client certificate / mutual TLS / mTLS :: Ledgerly shows a certificate of its own to your server, issued by a private authority whose root you can download.
            basic = basic auth / user name and password / HTTP basic login :: User and password are sent in the Authorization header, over TLS only, with at most 128 characters.
        """,
        task="""
            on = Switch on / turn on / enable / start using :: To switch it on, open the endpoint, go to Security and move the switch; existing deliveries in the queue go out unprotected.
            rotate = Rotate / renew / replace the old one of / change to a new :: To renew it, press Rotate in the tab Security; old and new are both valid for 24 hours, so that you can deploy in peace.
            test = Test / check / try out / verify the setup of :: To test it, press Send test with wrong credentials; your server must refuse the first request and accept the second one.
            off = Switch off / turn off / disable / stop using :: To switch it off, open Security, move the switch back and type the name of the endpoint as a confirmation.
        """,
        asks="""
            {task} {method} for webhooks
            how do i {task} {method} on a webhook
            webhook {method}: {task}
            {task} the {method} of our endpoint
            need to {task} {method}, webhooks
            where can we {task} {method} for hooks
            {method} webhook {task}
            can i {task} {method} without losing events
            want to {task} {method} for incoming hooks
            please help me {task} {method} webhook
            {task} webhook security by {method}
            steps to {task} {method} for an endpoint
        """,
    ),
]
