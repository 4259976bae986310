
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wechat', '0002_api_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Cursor',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name='name')),
                ('position', models.BigIntegerField(default=0, verbose_name='position')),
            ],
            options={
                'verbose_name': 'cursor',
                'verbose_name_plural': 'cursors',
            },
        ),
        migrations.CreateModel(
            name='HistoricalConfigRow',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('conf_name', models.CharField(max_length=64, verbose_name='name')),
                ('conf_value', models.TextField(blank=True, verbose_name='value')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical configuration row',
                'verbose_name_plural': 'historical configuration rows',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalRule',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('enabled', models.BooleanField(default=True, verbose_name='on')),
                ('priority', models.SmallIntegerField(default=0, help_text='The higher one is asked first. Among equals: exact before contained before expression.', validators=[django.core.validators.MinValueValidator(-1000), django.core.validators.MaxValueValidator(1000)], verbose_name='priority')),
                ('keywords', models.JSONField(blank=True, default=list, verbose_name='keywords')),
                ('answers', models.JSONField(blank=True, default=list, verbose_name='answers')),
                ('choice', models.CharField(choices=[('all', 'All, in this order'), ('random', 'One of them at random')], default='all', max_length=10, verbose_name='of several answers')),
                ('starts_on', models.DateField(blank=True, null=True, verbose_name='from (day)')),
                ('ends_on', models.DateField(blank=True, null=True, verbose_name='to (day, included)')),
                ('from_time', models.TimeField(blank=True, null=True, verbose_name='from (time of day)')),
                ('until_time', models.TimeField(blank=True, help_text='Earlier than the beginning: over midnight.', null=True, verbose_name='to (time of day)')),
                ('created_at', models.DateTimeField(blank=True, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(blank=True, editable=False, verbose_name='changed')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical reply rule',
                'verbose_name_plural': 'historical reply rules',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=64, verbose_name='kind')),
                ('level', models.CharField(choices=[('success', 'Good news'), ('warning', 'Warning'), ('danger', 'Urgent')], max_length=10, verbose_name='level')),
                ('data', models.JSONField(default=dict, verbose_name='details')),
                ('push_id', models.BigIntegerField(blank=True, null=True, verbose_name='push')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('mailed_at', models.DateTimeField(blank=True, null=True, verbose_name='mailed')),
                ('seen_at', models.DateTimeField(blank=True, null=True, verbose_name='put away')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('enabled', models.BooleanField(default=True, verbose_name='on')),
                ('priority', models.SmallIntegerField(default=0, help_text='The higher one is asked first. Among equals: exact before contained before expression.', validators=[django.core.validators.MinValueValidator(-1000), django.core.validators.MaxValueValidator(1000)], verbose_name='priority')),
                ('keywords', models.JSONField(blank=True, default=list, verbose_name='keywords')),
                ('answers', models.JSONField(blank=True, default=list, verbose_name='answers')),
                ('choice', models.CharField(choices=[('all', 'All, in this order'), ('random', 'One of them at random')], default='all', max_length=10, verbose_name='of several answers')),
                ('starts_on', models.DateField(blank=True, null=True, verbose_name='from (day)')),
                ('ends_on', models.DateField(blank=True, null=True, verbose_name='to (day, included)')),
                ('from_time', models.TimeField(blank=True, null=True, verbose_name='from (time of day)')),
                ('until_time', models.TimeField(blank=True, help_text='Earlier than the beginning: over midnight.', null=True, verbose_name='to (time of day)')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
            ],
            options={
                'verbose_name': 'reply rule',
                'verbose_name_plural': 'reply rules',
                'ordering': ('-priority', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='RuleDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('hits', models.PositiveIntegerField(default=0, verbose_name='hits')),
            ],
            options={
                'verbose_name': 'hits of a day',
                'verbose_name_plural': 'hits by day',
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=30, verbose_name='name')),
                ('platform_id', models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='number on the platform')),
            ],
            options={
                'verbose_name': 'tag',
                'verbose_name_plural': 'tags',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='UnansweredText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, default='', help_text='Empty: typed. Else the event whose key it is.', max_length=20, verbose_name='source')),
                ('text', models.CharField(max_length=200, verbose_name='text')),
                ('count', models.PositiveIntegerField(default=0, verbose_name='how often')),
                ('first_at', models.DateTimeField(verbose_name='first')),
                ('last_at', models.DateTimeField(verbose_name='last')),
                ('dismissed', models.BooleanField(default=False, verbose_name='put aside')),
            ],
            options={
                'verbose_name': 'unanswered text',
                'verbose_name_plural': 'unanswered texts',
                'ordering': ('-count', '-last_at'),
            },
        ),
        migrations.AlterModelOptions(
            name='account',
            options={'ordering': ('slug',), 'permissions': (('change_account_texts', 'Can change the texts of the account'),), 'verbose_name': 'account', 'verbose_name_plural': 'accounts'},
        ),
        migrations.AddField(
            model_name='account',
            name='rules_stamp',
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name='version of the reply rules'),
        ),
        migrations.AddField(
            model_name='follower',
            name='followed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='followed'),
        ),
        migrations.AddField(
            model_name='follower',
            name='held_by',
            field=models.CharField(blank=True, db_default='', default='', help_text='The named handler that gets the next messages first.', max_length=64, verbose_name='conversation held by'),
        ),
        migrations.AddField(
            model_name='follower',
            name='held_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='held until'),
        ),
        migrations.AddField(
            model_name='follower',
            name='latitude',
            field=models.FloatField(blank=True, null=True, verbose_name='latitude'),
        ),
        migrations.AddField(
            model_name='follower',
            name='located_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='position of'),
        ),
        migrations.AddField(
            model_name='follower',
            name='longitude',
            field=models.FloatField(blank=True, null=True, verbose_name='longitude'),
        ),
        migrations.AddField(
            model_name='follower',
            name='picture_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='picture button tapped'),
        ),
        migrations.AddField(
            model_name='follower',
            name='picture_key',
            field=models.CharField(blank=True, db_default='', default='', help_text='The pictures that follow belong to it.', max_length=128, verbose_name='key of the picture button'),
        ),
        migrations.AddField(
            model_name='follower',
            name='precision',
            field=models.FloatField(blank=True, null=True, verbose_name='precision (m)'),
        ),
        migrations.AddField(
            model_name='follower',
            name='source',
            field=models.CharField(blank=True, db_default='', default='', help_text='The scene of the code that made him follow.', max_length=64, verbose_name='came by the code'),
        ),
        migrations.AddField(
            model_name='push',
            name='answered_by',
            field=models.CharField(blank=True, choices=[('rule', 'A rule'), ('welcome', 'The welcome text'), ('default', 'The default reply'), ('handler', 'The program'), ('owed', 'A message that was owed')], db_default='', default='', max_length=10, verbose_name='answered by'),
        ),
        migrations.AddField(
            model_name='push',
            name='milliseconds',
            field=models.PositiveIntegerField(blank=True, help_text='From the arrival of the request to its last statement.', null=True, verbose_name='milliseconds'),
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='push',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='caused', to='wechat.push', verbose_name='caused by'),
        ),
        migrations.AddIndex(
            model_name='outgoingmessage',
            index=models.Index(fields=['openid'], name='outgoing_of_person'),
        ),
        migrations.AddField(
            model_name='historicalconfigrow',
            name='account',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='historicalconfigrow',
            name='history_user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalrule',
            name='account',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='historicalrule',
            name='history_user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='membership',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='membership',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL, verbose_name='member of staff'),
        ),
        migrations.AddField(
            model_name='notice',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='notice',
            name='seen_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='rule',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='push',
            name='rule',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='pushes', to='wechat.rule', verbose_name='rule'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(fields=['openid'], name='push_of_person'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(condition=models.Q(('rule__isnull', False)), fields=['rule', 'id'], name='push_of_rule'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(condition=models.Q(('kind__in', ('text', 'qr', 'subscribe', 'trace', 'view')), _negated=True), fields=['kind'], name='push_of_rare_kind'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(fields=['id', 'account', 'kind', 'encrypted', 'state', 'answered_by'], name='push_in_brief'),
        ),
        migrations.AddField(
            model_name='ruleday',
            name='rule',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='wechat.rule', verbose_name='rule'),
        ),
        migrations.AddField(
            model_name='tag',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='follower',
            name='tags',
            field=models.ManyToManyField(blank=True, related_name='followers', to='wechat.tag', verbose_name='tags'),
        ),
        migrations.AddField(
            model_name='unansweredtext',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='unanswered', to='wechat.account', verbose_name='account'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('user', 'account'), name='one_membership_per_account'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.UniqueConstraint(fields=('account', 'name'), name='one_rule_per_name'),
        ),
        migrations.AddConstraint(
            model_name='ruleday',
            constraint=models.UniqueConstraint(fields=('rule', 'day'), name='one_count_per_day'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('account', 'name'), name='one_tag_per_name'),
        ),
        migrations.AddConstraint(
            model_name='unansweredtext',
            constraint=models.UniqueConstraint(fields=('account', 'source', 'text'), name='one_row_per_text'),
        ),
    ]
