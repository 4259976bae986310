"""What other apps may listen to, beside the handlers of wechat.routing.

merchant_order: somebody paid an order in the WeChat shop (row A-61). Receivers get `contact` (wechat.routing.Contact); what was
bought is `contact.message.fields["data"]`. They run in the transaction of the push, and do nothing outside of the database
when `contact.rehearsal` is set. One that raises fails the push as a handler would: nothing of it is kept but the record with
its traceback, the platform still gets `success`, and staff can run the push again.
"""

from django.dispatch import Signal

merchant_order = Signal()
