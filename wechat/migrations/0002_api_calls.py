
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wechat', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.CharField(max_length=100, verbose_name='path')),
                ('method', models.CharField(max_length=8, verbose_name='method')),
                ('started_at', models.DateTimeField(verbose_name='time')),
                ('milliseconds', models.PositiveIntegerField(verbose_name='milliseconds')),
                ('attempt', models.PositiveSmallIntegerField(default=1, help_text='2: repeated with a new access token, after the first was refused.', verbose_name='attempt')),
                ('errcode', models.IntegerField(blank=True, help_text='0 is success; empty where no usable answer came.', null=True, verbose_name='errcode')),
                ('failed', models.BooleanField(default=False, verbose_name='failed')),
                ('rid', models.CharField(blank=True, max_length=40, null=True, verbose_name='rid')),
                ('error', models.CharField(blank=True, default='', max_length=500, verbose_name='error')),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='wechat.account', verbose_name='account')),
                ('message', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wechat.outgoingmessage', verbose_name='message')),
            ],
            options={
                'verbose_name': 'API call',
                'verbose_name_plural': 'API calls',
                'indexes': [models.Index(fields=['started_at'], name='call_time'), models.Index(fields=['account', 'started_at'], name='call_of_account'), models.Index(fields=['endpoint', 'started_at'], name='call_of_endpoint'), models.Index(condition=models.Q(('failed', True)), fields=['started_at'], name='call_failed'), models.Index(condition=models.Q(('rid__isnull', False)), fields=['rid'], name='call_of_rid')],
            },
        ),
    ]
