
import django.db.models.deletion
import simple_history.models
import wechat.models.materials
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wechat', '0003_rules_and_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SendRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_msg_id', models.CharField(max_length=64, verbose_name='number of the program')),
                ('digest', models.CharField(max_length=64, verbose_name='digest of what was asked')),
                ('message_id', models.BigIntegerField(blank=True, null=True, verbose_name='message')),
                ('job_id', models.BigIntegerField(blank=True, null=True, verbose_name='job')),
                ('created_at', models.DateTimeField(verbose_name='created')),
            ],
            options={
                'verbose_name': 'request to send',
                'verbose_name_plural': 'requests to send',
            },
        ),
        migrations.CreateModel(
            name='SyncRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Stopped by an error'), ('stopped', 'Stopped')], default='running', max_length=7, verbose_name='state')),
                ('step', models.CharField(choices=[('tags', 'Reading the tags'), ('people', 'Reading the followers'), ('blocked', 'Reading the block list'), ('end', 'Looking for those who left')], default='tags', max_length=7, verbose_name='step')),
                ('next_openid', models.CharField(blank=True, max_length=64)),
                ('page', models.JSONField(blank=True, default=list)),
                ('position', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0, verbose_name='followers at WeChat')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='read')),
                ('added', models.PositiveIntegerField(default=0, verbose_name='new here')),
                ('gone', models.PositiveIntegerField(default=0, verbose_name='follow no more')),
                ('error', models.TextField(blank=True, verbose_name='last error')),
                ('failures', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField(verbose_name='goes on')),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
            ],
            options={
                'verbose_name': 'synchronisation',
                'verbose_name_plural': 'synchronisation of followers',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='TokenRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_prefix', models.CharField(max_length=8, verbose_name='key begins with')),
                ('key_name', models.CharField(max_length=50, verbose_name='who')),
                ('kind', models.CharField(choices=[('read', 'Read the token'), ('renewed', 'Had it renewed'), ('refused', 'Wanted it renewed, and was refused')], max_length=8, verbose_name='what')),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('last_at', models.DateTimeField(verbose_name='last time')),
                ('count', models.PositiveIntegerField(default=1, verbose_name='times')),
            ],
            options={
                'verbose_name': 'request for the token',
                'verbose_name_plural': 'requests for the token',
                'ordering': ('-pk',),
            },
        ),
        migrations.AddField(
            model_name='follower',
            name='blocked',
            field=models.BooleanField(db_default=False, default=False, verbose_name='blocked'),
        ),
        migrations.AddField(
            model_name='follower',
            name='remark',
            field=models.CharField(blank=True, db_default='', default='', help_text="Staff's own name for this person; WeChat keeps it too.", max_length=30, verbose_name='remark'),
        ),
        migrations.AddField(
            model_name='follower',
            name='sync_run',
            field=models.PositiveBigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='agent',
            field=models.CharField(blank=True, db_default='', default='', max_length=64, verbose_name='agent'),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='delivery',
            field=models.CharField(blank=True, choices=[('delivered', 'Delivered'), ('blocked', 'Refused by the user'), ('failed', 'Not delivered')], db_default='', default='', max_length=10, verbose_name='delivery'),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='delivery_text',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='reported as'),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='msgid',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of a template message or notice: the report of its delivery names it.', max_length=24, verbose_name='number on the platform'),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='written_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written by'),
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='route',
            field=models.CharField(choices=[('customer_service', 'Customer-service message'), ('passive', 'Answer to the push itself'), ('template', 'Template message'), ('subscription', 'Subscription notice')], default='customer_service', max_length=20, verbose_name='way'),
        ),
        migrations.CreateModel(
            name='HistoricalMenu',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('is_default', models.BooleanField(default=True, editable=False, verbose_name='default menu')),
                ('client', models.CharField(blank=True, choices=[('', 'Any phone'), ('1', 'iPhone'), ('2', 'Android'), ('3', 'Other')], default='', max_length=1, verbose_name='for this phone')),
                ('document', models.JSONField(default=dict, verbose_name='menu')),
                ('updated_at', models.DateTimeField(blank=True, editable=False, verbose_name='changed')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('account', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wechat.account', verbose_name='account')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tag', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wechat.tag', verbose_name='for this tag')),
            ],
            options={
                'verbose_name': 'historical menu',
                'verbose_name_plural': 'historical menus',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Material',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('image', 'Picture'), ('voice', 'Voice'), ('video', 'Video'), ('thumb', 'Thumbnail')], max_length=5, verbose_name='kind')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('title', models.CharField(blank=True, max_length=100, verbose_name='title (video)')),
                ('introduction', models.TextField(blank=True, verbose_name='introduction (video)')),
                ('permanent', models.BooleanField(default=False, help_text='Stays at WeChat until it is deleted. Without this it ends there after three days.', verbose_name='permanent')),
                ('keep', models.BooleanField(default=False, help_text='Uploaded again before its three days are over. What a rule uses is kept valid in any case.', verbose_name='keep it valid')),
                ('file', models.FileField(blank=True, upload_to=wechat.models.materials.stored_name, verbose_name='file')),
                ('preview', models.FileField(blank=True, editable=False, upload_to=wechat.models.materials.stored_name, verbose_name='small picture')),
                ('size', models.PositiveIntegerField(default=0, verbose_name='bytes')),
                ('measures', models.CharField(blank=True, help_text='Pixels, or seconds.', max_length=40, verbose_name='measures')),
                ('media_id', models.CharField(blank=True, max_length=128, verbose_name='media ID')),
                ('url', models.URLField(blank=True, max_length=500, verbose_name='address')),
                ('uploaded_at', models.DateTimeField(blank=True, null=True, verbose_name='uploaded')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('error', models.TextField(blank=True, verbose_name='last error')),
                ('failed_at', models.DateTimeField(blank=True, null=True, verbose_name='last failure')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='materials', to='wechat.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'material',
                'verbose_name_plural': 'materials',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='Menu',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('is_default', models.BooleanField(default=True, editable=False, verbose_name='default menu')),
                ('client', models.CharField(blank=True, choices=[('', 'Any phone'), ('1', 'iPhone'), ('2', 'Android'), ('3', 'Other')], default='', max_length=1, verbose_name='for this phone')),
                ('document', models.JSONField(default=dict, verbose_name='menu')),
                ('menuid', models.CharField(blank=True, editable=False, max_length=32, verbose_name='number on the platform')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='menus', to='wechat.account', verbose_name='account')),
                ('tag', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='menus', to='wechat.tag', verbose_name='for this tag')),
            ],
            options={
                'verbose_name': 'menu',
                'verbose_name_plural': 'menus',
                'ordering': ('-is_default', 'pk'),
                'permissions': (('publish_menu', 'Can publish menus'),),
            },
        ),
        migrations.CreateModel(
            name='MenuVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.JSONField(verbose_name='menu')),
                ('published_at', models.DateTimeField(verbose_name='published')),
                ('agreed', models.BooleanField(null=True, verbose_name='read back the same')),
                ('menu', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='wechat.menu', verbose_name='menu')),
                ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'published menu',
                'verbose_name_plural': 'published menus',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='MessageTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('template', 'Template message'), ('subscription', 'Subscription notice')], default='template', max_length=12, verbose_name='kind')),
                ('template_id', models.CharField(max_length=64, verbose_name='number on the platform')),
                ('title', models.CharField(blank=True, max_length=100, verbose_name='title')),
                ('content', models.TextField(blank=True, verbose_name='content')),
                ('example', models.TextField(blank=True, verbose_name='example')),
                ('synced_at', models.DateTimeField(verbose_name='last seen on the platform')),
                ('gone_at', models.DateTimeField(blank=True, null=True, verbose_name='gone since')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='wechat.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'message template',
                'verbose_name_plural': 'message templates',
                'ordering': ('title',),
            },
        ),
        migrations.CreateModel(
            name='SendJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('audience', models.JSONField(verbose_name='to whom')),
                ('content', models.JSONField(help_text='The stored message (wechat.replies.Template.stored).', verbose_name='content')),
                ('state', models.CharField(choices=[('running', 'Running'), ('paused', 'Paused'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='running', max_length=10, verbose_name='state')),
                ('position', models.BigIntegerField(default=0, verbose_name='position')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='recipients')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='wechat.account', verbose_name='account')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='wechat.messagetemplate', verbose_name='template')),
            ],
            options={
                'verbose_name': 'send job',
                'verbose_name_plural': 'send jobs',
                'ordering': ('-pk',),
            },
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='job',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='messages', to='wechat.sendjob', verbose_name='job'),
        ),
        migrations.AddIndex(
            model_name='outgoingmessage',
            index=models.Index(condition=models.Q(('job__isnull', False)), fields=['job', 'state'], name='outgoing_of_job'),
        ),
        migrations.AddIndex(
            model_name='outgoingmessage',
            index=models.Index(condition=models.Q(('msgid', ''), _negated=True), fields=['msgid'], name='outgoing_of_msgid'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('job__isnull', False), models.Q(('openid', 'erased'), _negated=True)), fields=('job', 'openid'), name='one_message_per_job'),
        ),
        migrations.AddField(
            model_name='sendrequest',
            name='key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.apikey', verbose_name='REST key'),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sync_runs', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='tokenrequest',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='token_requests', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddIndex(
            model_name='material',
            index=models.Index(fields=['account', 'media_id'], name='material_of_media'),
        ),
        migrations.AddConstraint(
            model_name='menu',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('account',), name='one_default_menu_per_account'),
        ),
        migrations.AddConstraint(
            model_name='menu',
            constraint=models.UniqueConstraint(fields=('account', 'name'), name='one_menu_per_name'),
        ),
        migrations.AddConstraint(
            model_name='messagetemplate',
            constraint=models.UniqueConstraint(fields=('account', 'template_id'), name='one_row_per_template'),
        ),
        migrations.AddConstraint(
            model_name='sendrequest',
            constraint=models.UniqueConstraint(fields=('key', 'client_msg_id'), name='one_send_per_number'),
        ),
        migrations.AddConstraint(
            model_name='syncrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('account',), name='one_running_sync_per_account'),
        ),
        migrations.AddConstraint(
            model_name='tokenrequest',
            constraint=models.UniqueConstraint(fields=('account', 'hour', 'key_prefix', 'kind'), name='one_token_request_an_hour'),
        ),
    ]
