import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import problems.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Problem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=100, unique=True, validators=[problems.models.is_free])),
                ('title', models.CharField(max_length=200)),
                ('url', models.URLField(blank=True, max_length=500)),
                ('statement', models.TextField(blank=True, max_length=80000)),
                ('difficulty', models.PositiveSmallIntegerField(default=0, help_text='A rating; 0: nobody has rated it.')),
                ('tests', models.JSONField(blank=True, default=list, validators=[problems.models.has_tests])),
                ('time_limit_ms', models.PositiveIntegerField(default=2000, validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(30000)])),
                ('memory_mib', models.PositiveIntegerField(default=256, validators=[django.core.validators.MinValueValidator(16), django.core.validators.MaxValueValidator(2048)])),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='SubscriptionPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('plan', models.CharField(choices=[('free', 'Free'), ('pro', 'Pro')], default='free', max_length=4)),
                ('judged_per_day', models.PositiveIntegerField(default=50)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='subscription_plan', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.TextField()),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('judged', 'Judged')], default='queued', max_length=7)),
                ('verdict', models.CharField(blank=True, choices=[('accepted', 'Accepted'), ('wrong_answer', 'Wrong Answer'), ('runtime_error', 'Runtime Error'), ('time_limit', 'Time Limit'), ('memory_limit', 'Memory Limit'), ('internal_error', 'Internal Error')], max_length=14)),
                ('passed', models.PositiveSmallIntegerField(default=0)),
                ('total', models.PositiveSmallIntegerField(default=0)),
                ('detail', models.TextField(blank=True)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('judged_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='submissions', to=settings.AUTH_USER_MODEL)),
                ('problem', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='submissions', to='problems.problem')),
            ],
            options={
                'ordering': ('pk',),
                'indexes': [models.Index(fields=['owner', 'id'], name='submissions_of_owner'), models.Index(condition=models.Q(('state__in', ('queued', 'running'))), fields=['heartbeat_at'], name='submissions_to_judge')],
            },
        ),
    ]
